/** Permissions as written become permissions as meant: references looked up, ports and targets checked, folders real. */

import { realpathSync, statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { codeOf } from '../../ipc/errors.ts';
import { folderFault } from './folder-fault.ts';
import type { Permissions } from './permissions.ts';
import type { WrittenPermissions } from './permissions-schema.ts';
import { type Place, problemAt, type YamlPath } from './place.ts';
import { type ReferenceScope, resolveReferences } from './placeholders.ts';
import type { Problem } from './problem.ts';

export type FolderVerdict =
  | { readonly kind: 'ok'; readonly path: string }
  | { readonly kind: 'bad'; readonly why: string; readonly fix: string };

/** The real path of a folder, or why there is none. */
export type FolderLookUp = (path: string) => FolderVerdict;

export interface ResolveOptions {
  /** Where the permissions are written. */
  readonly place: Place;
  readonly scope: ReferenceScope;
  readonly folder: FolderLookUp;
}

export interface ResolvedPermissions {
  readonly permissions: Permissions;
  readonly problems: readonly Problem[];
}

/** An item with a problem is left out: what cannot be understood is neither asked for nor granted. */
export function resolvePermissions(written: WrittenPermissions | null, options: ResolveOptions): ResolvedPermissions {
  const problems: Problem[] = [];
  const report = (path: YamlPath, message: string, fix = ''): void => {
    problems.push(problemAt(options.place, path, { code: 'HOST_ERR_CONFIG_VALUE', message, fix }));
  };
  const list = <T>(
    path: YamlPath,
    items: readonly (string | number)[] | undefined,
    take: (value: unknown) => T | Fault,
  ): T[] => {
    const resolved = resolveReferences(items ?? [], options.scope);
    for (const { index, message } of resolved.faults) report([...path, index], message);
    const taken = resolved.values.map(take);
    for (const item of taken) if (item instanceof Fault) report(path, item.message, item.fix);
    return [...new Set(taken.filter((item): item is Exclude<typeof item, Fault> => !(item instanceof Fault)))];
  };
  const net = written?.net === true ? { any: true } : (written?.net ?? {});
  const permissions: Permissions = {
    net: {
      any: net.any ?? false,
      listen: list(['net', 'listen'], 'listen' in net ? net.listen : [], takePort),
      connect: list(['net', 'connect'], 'connect' in net ? net.connect : [], takeTarget),
    },
    read: list(['read'], written?.read, (value) => takeFolder(value, options.folder)),
    write: list(['write'], written?.write, (value) => takeFolder(value, options.folder)),
    env: [...new Set(written?.env ?? [])],
    kubernetes: written?.kubernetes ?? false,
  };
  return { permissions, problems };
}

class Fault {
  readonly message: string;
  readonly fix: string;

  constructor(message: string, fix = '') {
    this.message = message;
    this.fix = fix;
  }
}

function takePort(value: unknown): number | Fault {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  return new Fault(`permission 'net.listen' must be a port between 0 and 65535, got ${show(value)}`);
}

function takeTarget(value: unknown): string | Fault {
  const [, host, port] = /^(\[[0-9A-Fa-f:.]+\]|[\w.-]+):(\d{1,5})$/.exec(String(value)) ?? [];
  const isHost = host !== undefined && (!host.startsWith('[') || isIPv6(host.slice(1, -1)));
  if (isHost && Number(port) >= 1 && Number(port) <= 65_535) return `${host.toLowerCase()}:${Number(port)}`;
  return new Fault(`permission 'net.connect' must be host:port such as api.example.com:443, got ${show(value)}`);
}

function takeFolder(value: unknown, folder: FolderLookUp): string | Fault {
  if (typeof value !== 'string' || value === '')
    return new Fault(`a permission must name a folder, got ${show(value)}`);
  const verdict = folder(value);
  if (verdict.kind === 'ok') return verdict.path;
  return new Fault(`the folder '${value.slice(0, 200)}' ${verdict.why}`, verdict.fix);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 120);
}

/** Looks folders up on this machine; relative ones against `base`. */
export function folderLookUp(base: string): FolderLookUp {
  return (path) => {
    try {
      const real = realpathSync(resolve(base, path));
      if (!statSync(real).isDirectory()) return missing('is not a folder');
      const fault = folderFault(real);
      if (fault === null) return { kind: 'ok', path: real };
      return { kind: 'bad', why: fault, fix: 'take it away, or name another folder, and save plugins.yaml again' };
    } catch (error) {
      return missing(codeOf(error) === 'EACCES' ? 'may not be read by khook' : 'does not exist');
    }
  };
}

function missing(why: string): FolderVerdict {
  return { kind: 'bad', why, fix: 'create the folder, or name one that exists' };
}
