/** Where in a user's file something stands, and how a Problem is made of it. */

import type { HostErrorCode } from '../base/errors.ts';
import type { Problem } from './problem.ts';

/** Keys and list indices from the root of a document: `['plugins', 0, 'config', 'port']`. */
export type YamlPath = readonly (string | number)[];

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** What a Place needs of a document; a cluster object has none. */
export interface Positioned {
  readonly value: unknown;
  /** Position of the value at `path` (of its key, when asked), else of its nearest ancestor. */
  at(path: YamlPath, part?: 'key' | 'value'): Position;
}

export interface Place {
  /** Path of the file as the user knows it. */
  readonly file: string;
  /** null: positions are not known (an object of the cluster, an environment variable). */
  readonly document: Positioned | null;
  /** Path of the value in question inside the document. */
  readonly basePath: YamlPath;
  /** The entry that is skipped because of a problem here; empty when it is the whole file. */
  readonly subject: string;
}

export interface ProblemText {
  readonly code: HostErrorCode;
  readonly message: string;
  readonly fix?: string;
  /** The problem is the key, not its value. */
  readonly part?: 'key';
}

/** `path` is relative to the place. */
export function problemAt(place: Place, path: YamlPath, text: ProblemText): Problem {
  const whole = [...place.basePath, ...path];
  const position = place.document?.at(whole, text.part) ?? null;
  return {
    code: text.code,
    message: text.message,
    file: place.file,
    line: position?.line ?? null,
    column: position?.column ?? null,
    path: formatPath(whole),
    fix: text.fix ?? '',
    subject: place.subject,
  };
}

/** `plugins[0].config.port`; a key that is no plain word is quoted: `tags["a.b"]`. */
export function formatPath(path: YamlPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step.slice(0, 80))}]`;
  }
  return text;
}

/** The same place, `path` deeper. */
export function within(place: Place, path: YamlPath): Place {
  return { ...place, basePath: [...place.basePath, ...path] };
}

/** The value at `path`, or undefined; own properties only. */
export function valueAt(value: unknown, path: YamlPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}
