/** Puts what a host said into the error of the test that failed: where the tests run nobody can look at the host any more. */

import type { TestContext } from 'node:test';

const LINES = 60;
const CHARACTERS = 400;

/** `told`: lines, newest last. Call it before what takes the host away is registered. */
export function tellOnFailure(t: Pick<TestContext, 'after'>, told: () => Promise<readonly string[]>): void {
  t.after(async () => {
    const { error } = t as Partial<TestContext>;
    // The runner wraps what was thrown.
    const thrown = error?.cause ?? error;
    if (!(thrown instanceof Error)) return;
    const lines = (await told()).slice(-LINES).map((line) => line.trimEnd().slice(0, CHARACTERS));
    thrown.stack = [thrown.stack, 'The host of this test:', ...lines].join('\n    ');
  });
}
