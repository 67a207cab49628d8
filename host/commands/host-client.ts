/** Talks to a running host from the command line, and says what to do when there is none. */

import { messageOf } from '../../ipc/errors.ts';
import { type Flag, flagText, type Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';

export const URL_FLAG: Flag = {
  name: 'url',
  value: 'URL',
  description: "The host's loopback port.",
  default: 'http://127.0.0.1:6060',
};

/** By `--url`; `localhost:6060` means the same as `http://localhost:6060/`. */
export function hostUrl(invocation: Invocation): string {
  const text = (flagText(invocation, 'url') ?? 'http://127.0.0.1:6060').replace(/\/+$/, '');
  return text.includes('://') ? text : `http://${text}`;
}

export interface HostRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/api/v1/emit` */
  readonly path: string;
  readonly body?: unknown;
}

export type HostAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** The host, or whatever answers there, does not do it; `error` is for a person. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: string }
  /** Told already. */
  | { readonly kind: 'unreachable'; readonly code: ExitCode };

export class HostClient {
  readonly #invocation: Invocation;
  readonly #command: string;
  readonly #url: string;

  /** `command`: whose words these are (`emit`). */
  constructor(invocation: Invocation, command: string) {
    this.#invocation = invocation;
    this.#command = command;
    this.#url = hostUrl(invocation);
  }

  async ask<T>({ method, path, body }: HostRequest): Promise<HostAnswer<T>> {
    let response: Response;
    let text: string;
    try {
      const headers = { 'content-type': 'application/json' };
      const content = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      response = await fetch(`${this.#url}${path}`, { method, ...content });
      text = await response.text();
    } catch (error) {
      const cause = messageOf((error as { cause?: unknown }).cause ?? error);
      this.#invocation.stderr(
        `khook ${this.#command}: no host answers at ${this.#url}: ${cause}\nStart one with 'khook run', or name its loopback port with --url.\n`,
      );
      return { kind: 'unreachable', code: EXIT_CODES.UNREACHABLE };
    }
    const value = parse(text);
    if (response.ok && value !== undefined) return { kind: 'ok', value: value as T };
    return { kind: 'refused', status: response.status, error: this.#refusal(response.status, value) };
  }

  #refusal(status: number, value: unknown): string {
    const error = typeof value === 'object' && value !== null && 'error' in value ? value.error : null;
    if (typeof error === 'string') return error;
    return `${this.#url} answered with HTTP ${status}, which is no answer of khook's loopback port; name that with --url`;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
