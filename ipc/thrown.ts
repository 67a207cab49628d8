/**
 * What was thrown, in words for whoever has to mend it: what it was caused by, and what a plugin may not do in the terms of khook,
 * where Node names flags of its own that nobody of khook's users can set.
 */

const MAX_CAUSES = 4;
const CAUSE_MESSAGE_LIMIT = 1_024;
const CAUSE_STACK_LIMIT = 2_048;

export interface Told {
  readonly message: string;
  readonly stack: string;
}

/** `message` and `stack`: what it says of itself. May throw what the getters of something hostile throw. */
export function tellThrown(thrown: unknown, { message, stack }: Told): Told {
  let text = denial(thrown) ?? message;
  let lines = text === message ? stack : stack.replace(message, () => text);
  let cause = causeOf(thrown);
  for (let depth = 0; depth < MAX_CAUSES && cause !== undefined && cause !== null; depth += 1) {
    const said = (denial(cause) ?? textField(cause, 'message') ?? textOf(cause)).slice(0, CAUSE_MESSAGE_LIMIT);
    if (said !== '' && !text.includes(said)) text = text === '' ? said : `${text}: ${said}`;
    lines = `${lines}${lines === '' ? '' : '\n'}[cause]: ${(textField(cause, 'stack') || said).slice(0, CAUSE_STACK_LIMIT)}`;
    cause = causeOf(cause);
  }
  return { message: text, stack: lines };
}

export function readProperty(thrown: unknown, key: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined;
  }
}

/** Any value as text, for a message about it. Never throws: what came over a wire may have no text at all. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'something that cannot be shown as text';
  }
}

/** Of several errors at once, as of a connection that was tried over IPv4 and IPv6, the first. */
function causeOf(thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  return readProperty(thrown, 'cause') ?? readProperty(readProperty(thrown, 'errors'), '0');
}

function textField(thrown: unknown, key: string): string | null {
  const value = readProperty(thrown, key);
  return typeof value === 'string' ? value : null;
}

/** A refusal of Node's permission model, or null. */
function denial(thrown: unknown): string | null {
  if (readProperty(thrown, 'code') !== 'ERR_ACCESS_DENIED') return null;
  const permission = readProperty(thrown, 'permission');
  const resource = textField(thrown, 'resource');
  if (permission === 'FileSystemRead' || permission === 'FileSystemWrite') {
    const kind = permission === 'FileSystemRead' ? 'read' : 'write';
    const what = resource === null || resource === '' ? 'a file' : resource;
    return `it may not ${kind} ${what}; ask for the folder in the manifest (khook.permissions.${kind}) and grant it in plugins.yaml (permissions.${kind})`;
  }
  const host = textField(thrown, 'hostname') ?? textField(thrown, 'address');
  const call = textField(thrown, 'syscall');
  if (host === null || (call !== 'getaddrinfo' && call !== 'connect')) return null;
  const what = call === 'connect' ? `connect to ${host}:${textOf(readProperty(thrown, 'port'))}` : `look up ${host}`;
  return `it may not ${what}; ask for it in the manifest (khook.permissions.net) and grant it in plugins.yaml (permissions.net)`;
}
