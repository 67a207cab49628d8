/** Says what the matcher saw, without saying it for every event: types once, faults once per frame and kind. */

import { type Frame, typeAt } from '../../ipc/frame.ts';
import type { Emitter } from '../base/emitter.ts';
import type { MatchEvents } from './events.ts';
import { suggestMapping } from './mapping-suggestion.ts';
import type { BrokenPrompt, FailedFilter } from './task-message.ts';
import type { TypeSettlement } from './type-settlement.ts';
import { type Cause, type FrameVerdict, verdictAt } from './verdict.ts';

const MAX_REMEMBERED = 1_000;

export class MatchReporter {
  readonly #emitter: Emitter<MatchEvents>;
  /** What was said already; the oldest is forgotten first. */
  readonly #said = new Set<string>();

  constructor(emitter: Emitter<MatchEvents>) {
    this.#emitter = emitter;
  }

  types(source: string, types: readonly string[], settlements: readonly TypeSettlement[]): void {
    settlements.forEach(({ kind }, position) => {
      if (kind !== 'unmapped' && kind !== 'mapping_disabled') return;
      const type = types[position] ?? '';
      if (!this.#isNews(`${kind}\0${source}\0${type}`)) return;
      if (kind === 'unmapped') {
        this.#emitter.emit('type:unmapped', { source, type, yaml: suggestMapping(source, type) });
      } else this.#emitter.emit('type:mapping-disabled', { source, type });
    });
  }

  /** `toldApart` are the poisonous ones. */
  invalid(source: string, frame: Frame, verdict: FrameVerdict, toldApart: readonly number[] = []): void {
    const said = new Set<string>();
    for (const { index, text } of verdict.causes) {
      if (verdictAt(verdict, index) !== 'invalid' || toldApart.includes(index)) continue;
      const type = typeAt(frame, index);
      const name = `${type}\0${text}`;
      if (said.has(name)) continue;
      said.add(name);
      this.#emitter.emit('event:invalid', { source, type, cause: text });
    }
  }

  poisonous(source: string, frame: Frame, { index, text }: Cause): void {
    this.#emitter.emit('event:poisonous', { source, type: typeAt(frame, index), cause: text });
  }

  broken(prompts: readonly BrokenPrompt[]): void {
    for (const prompt of prompts) {
      if (this.#isNews(`broken\0${JSON.stringify(prompt)}`)) this.#emitter.emit('hook:template-broken', prompt);
    }
  }

  /** The words differ with the events; the place does not. */
  failed(filters: readonly FailedFilter[]): void {
    for (const filter of filters) {
      const place = /^\d+:\d+/.exec(filter.problem)?.[0] ?? '';
      if (this.#isNews(`failed\0${filter.hook}\0${place}`)) this.#emitter.emit('hook:filter-failed', filter);
    }
  }

  /** The Hooks were read anew: what their filters fail at is news again. */
  forgetFilters(): void {
    for (const name of this.#said) if (name.startsWith('failed\0')) this.#said.delete(name);
  }

  #isNews(name: string): boolean {
    if (this.#said.has(name)) return false;
    const [oldest] = this.#said;
    if (oldest !== undefined && this.#said.size >= MAX_REMEMBERED) this.#said.delete(oldest);
    this.#said.add(name);
    return true;
  }
}
