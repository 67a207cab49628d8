/** What one rendering may cost. A template can neither hang nor fill the memory: every node and every text it makes is paid for. */

import { TemplateError } from './template-error.ts';

export const MAX_STEPS = 100_000;
/** This many characters of made text cost one step. */
const CHARACTERS_PER_STEP = 32;

export class Meter {
  readonly #source: string;
  #left = MAX_STEPS;
  /** Offset of what is being evaluated. */
  at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) this.fail(`took more than ${MAX_STEPS} steps`);
  }

  spendText(length: number): void {
    this.spend(1 + Math.floor(length / CHARACTERS_PER_STEP));
  }

  fail(reason: string): never {
    throw new TemplateError(this.#source, this.at, reason);
  }
}
