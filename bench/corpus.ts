/** Bodies of the corpus for the questions about the sandbox: they need a whole host with its keeper, not one inside the bench's process. */

import { BODIES } from '../test/corpus/bodies.ts';
import type { Body } from '../test/corpus/body.ts';

export type After = { after(close: () => unknown): void };

/** Closes what was opened, last first. */
export async function withCorpus<T>(measure: (t: After) => Promise<T>): Promise<T> {
  const closes: (() => unknown)[] = [];
  try {
    return await measure({ after: (close) => void closes.push(close) });
  } finally {
    for (const close of closes.reverse()) await close();
  }
}

export function bodiesNamed(names: readonly string[]): Body[] {
  return names.map((name) => {
    const body = BODIES.find((candidate) => candidate.name === name);
    if (body === undefined) throw new Error(`the corpus has no body '${name}'`);
    return body;
  });
}
