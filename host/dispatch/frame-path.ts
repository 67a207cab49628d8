/**
 * A frame on its way from the matcher to its ack: verdicts are entered in the ledger, firings are handed to dispatch, and what was
 * refused goes back to the plugin. The one promise an ack waits for is `accept`: the outbox stands behind it unseen.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { Refusal } from '../../ipc/messages.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerFrame } from '../ledger/ledger-frame.ts';
import { type Firing, type FrameVerdict, type Verdict, verdictAt } from '../match/verdict.ts';
import type { Acceptance, FiringOfEvent } from './dispatch.ts';

export interface FramePathOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly judge: (entry: LedgerFrame, eventTypes: ReadonlySet<string> | null) => Promise<FrameVerdict>;
  readonly internalType: (plugin: string, type: string) => string | null;
  readonly accept: (requests: readonly FiringOfEvent[]) => Promise<readonly Acceptance[]>;
}

export class FramePath {
  readonly #options: FramePathOptions;

  constructor(options: FramePathOptions) {
    this.#options = options;
  }

  /** See `Consume` of the bus. */
  async consume(
    { entry, eventTypes }: { entry: LedgerFrame; eventTypes: ReadonlySet<string> | null },
    judged: () => void,
  ): Promise<readonly Refusal[]> {
    const { clock, ledger, internalType, judge, accept } = this.#options;
    const verdict = await judge(entry, eventTypes);
    const at = clock.wall();
    const internalTypes = entry.frame.types.map((type) => internalType(entry.origin.plugin, type));
    ledger.judge(entry, { at, atMonotonic: clock.now(), internalTypes });
    for (const { index, text } of verdict.causes)
      entry.note(index, { at, step: verdictAt(verdict, index), detail: text });
    expectFirings(entry, verdict.firings);
    entry.settleAll((index) => outcomeOf(verdictAt(verdict, index)));
    const requests = verdict.firings.map((firing) => {
      this.#expect(entry, firing, at);
      return { eventId: entry.id(firing.index), firing };
    });
    // From here the plugin's next frame may be judged; its firings reach dispatch after these, because this call is made first.
    const acceptances = requests.length === 0 ? [] : accept(requests);
    judged();
    const dropped = this.#enter(entry, verdict.firings, await acceptances);
    return [...refusalsOf(verdict, entry.count), ...dropped];
  }

  #expect(entry: LedgerFrame, firing: Firing, at: number): void {
    const { hook, configuration, agent, dedupKey } = firing;
    const subject = { hook, configuration, agent: `${agent.namespace}/${agent.name}`, dedupKey };
    for (const index of [firing.index, ...firing.repeats]) {
      this.#options.ledger.track(entry, index);
      entry.expectFate(index, subject);
      entry.note(index, { at, step: 'matched', detail: `Hook ${firing.hook} (${firing.eventType})` });
    }
  }

  /** Returns what the plugin must be told is not taken: an event whose firing stands nowhere, and those that only repeat it. */
  #enter(entry: LedgerFrame, firings: readonly Firing[], acceptances: readonly Acceptance[]): readonly Refusal[] {
    const refusals = new Map<number, Refusal>();
    firings.forEach((firing, position) => {
      const acceptance = acceptances[position];
      const id = entry.id(firing.index);
      if (acceptance?.kind === 'dropped') {
        for (const index of [firing.index, ...firing.repeats]) {
          entry.amendFate(index, firing, { decision: acceptance });
          this.#settle(entry.id(index), 'dropped', acceptance.reason);
          const message = `the event was dropped: ${acceptance.reason}`;
          refusals.set(index, { index, code: 'EVENT_ERR_DROPPED', message });
        }
        return;
      }
      if (acceptance?.kind === 'duplicate') {
        entry.amendFate(firing.index, firing, { decision: acceptance });
        this.#settle(id, 'duplicate', `of an earlier firing, until ${time(acceptance.until)}`);
      }
      const decision = { kind: 'repeat', of: id } as const;
      for (const index of firing.repeats) {
        entry.amendFate(index, firing, { decision });
        this.#settle(entry.id(index), 'duplicate', `of ${id}`);
      }
    });
    return [...refusals.values()];
  }

  #settle(id: string, outcome: 'duplicate' | 'dropped', detail: string): void {
    const { ledger, clock } = this.#options;
    ledger.note(id, { at: clock.wall(), step: outcome, detail });
    ledger.settleFiring(id, outcome);
  }
}

function expectFirings(entry: LedgerFrame, firings: readonly Firing[]): void {
  for (const firing of firings) for (const index of [firing.index, ...firing.repeats]) entry.expectFirings(index, 1);
}

function outcomeOf(verdict: Verdict): Exclude<Verdict, 'fires'> | null {
  return verdict === 'fires' ? null : verdict;
}

/** Only an invalid event is refused: the others were understood, whoever wants them. */
function refusalsOf(verdict: FrameVerdict, count: number): Refusal[] {
  const causes = new Map(verdict.causes.map(({ index, text }) => [index, text]));
  const refusals: Refusal[] = [];
  for (let index = 0; index < count; index += 1) {
    if (verdictAt(verdict, index) !== 'invalid') continue;
    const message = causes.get(index) ?? 'the event could not be judged';
    refusals.push({ index, code: 'EVENT_ERR_INVALID', message });
  }
  return refusals;
}

function time(wall: number): string {
  return new Date(wall).toISOString();
}
