/** A replay as JSON, one object a line: each difference, each broken line, and the numbers at the end. The shape: docs/replay.md. */

import { withoutMarks } from '../replay/change.ts';
import type { ReplayedChange, ReplayedEvent } from '../replay/dry-run.ts';
import { eventNames } from '../replay/event-names.ts';
import type { BrokenLine } from '../replay/recording.ts';
import { promptDiff } from './prompt-diff.ts';
import type { ReplayEnd, ReplayReport, ReportOptions } from './replay-report.ts';

export class ReplayJson implements ReplayReport {
  readonly #options: ReportOptions;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  broken({ line, problem }: BrokenLine): void {
    this.#write({ kind: 'broken', line, problem });
  }

  event(event: ReplayedEvent): void {
    for (const change of event.changes) {
      if (change.kind !== 'same' || this.#options.showsAll) this.#write(this.#firing(event, change));
    }
  }

  end({ tally, facts, digests }: ReplayEnd): void {
    const hooks = tally.hooks.map(([hook, { before, now, fresh, gone, changed, heldBefore, heldNow }]) => {
      const held = { before: heldBefore, now: heldNow, digestsNow: digests.now.get(hook) ?? 0 };
      return [hook, { before, now, new: fresh, gone, changed, held }] as const;
    });
    this.#write({
      kind: 'summary',
      events: tally.events,
      differences: tally.differences,
      hooks: Object.fromEntries(hooks),
      ends: Object.fromEntries(tally.ends),
      recording: facts,
    });
  }

  #firing({ event }: ReplayedEvent, { kind, hook, before, now, what, why }: ReplayedChange): unknown {
    const { id, source, type, internalType, receivedAt, redacted } = event;
    const about = { id, source, type, internalType, ...eventNames(event) };
    return {
      kind: 'firing',
      change: kind,
      hook,
      configuration: (now ?? before)?.configuration,
      agent: (now ?? before)?.agent,
      event: { ...about, receivedAt: new Date(receivedAt).toISOString(), ...(redacted && { redacted }) },
      ...(what.length > 0 && { what }),
      ...(why !== '' && { why }),
      ...(this.#options.showsPrompts && this.#prompts(before?.prompt ?? null, now?.prompt ?? null)),
    };
  }

  #prompts(before: string | null, now: string | null): object {
    const diff = before === null || now === null ? null : promptDiff(withoutMarks(before), withoutMarks(now));
    return { prompts: { before, now, ...(diff !== null && diff.length > 0 && { diff: diff.join('\n') }) } };
  }

  #write(value: unknown): void {
    this.#options.write(`${JSON.stringify(value)}\n`);
  }
}
