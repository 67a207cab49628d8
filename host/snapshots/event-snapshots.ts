/** Events of the ledger as the read API shows them. Lines are decoded in the matcher pool, when someone asks and not before. */

import { typeAt } from '../../ipc/frame.ts';
import { redactText } from '../base/redact.ts';
import type { EventQuery, EventSnapshot, TrailStep } from '../http/view.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerFrame, Step } from '../ledger/ledger-frame.ts';

/** What the pool reads out of one line. */
export interface EventDescription {
  readonly resourceName: string;
  readonly namespace: string;
  readonly message: string;
}

export interface EventSnapshotsOptions {
  readonly ledger: Ledger;
  readonly describe: (lines: string, indices: readonly number[]) => Promise<readonly EventDescription[]>;
}

interface Chosen {
  readonly frame: LedgerFrame;
  readonly index: number;
}

export class EventSnapshots {
  readonly #options: EventSnapshotsOptions;

  constructor(options: EventSnapshotsOptions) {
    this.#options = options;
  }

  /** Newest first. */
  query({ limit, plugin, outcome }: EventQuery): Promise<readonly EventSnapshot[]> {
    const chosen: Chosen[] = [];
    for (const event of this.#options.ledger.newestFirst()) {
      if (chosen.length >= limit) break;
      if (plugin !== null && event.frame.origin.plugin !== plugin) continue;
      if (outcome !== null && event.frame.outcome(event.index) !== outcome) continue;
      chosen.push(event);
    }
    return this.#describe(chosen);
  }

  async find(id: string): Promise<EventSnapshot | null> {
    const event = this.#options.ledger.find(id);
    return event === null ? null : ((await this.#describe([event]))[0] ?? null);
  }

  async of(frame: LedgerFrame, index: number): Promise<EventSnapshot | null> {
    return (await this.#describe([{ frame, index }]))[0] ?? null;
  }

  /** Of events of one frame, in their order. */
  all(frame: LedgerFrame, indices: readonly number[]): Promise<readonly EventSnapshot[]> {
    return this.#describe(indices.map((index) => ({ frame, index })));
  }

  async #describe(chosen: readonly Chosen[]): Promise<readonly EventSnapshot[]> {
    const byFrame = Map.groupBy(chosen, ({ frame }) => frame);
    const described = new Map<LedgerFrame, ReadonlyMap<number, EventDescription>>();
    await Promise.all(
      [...byFrame].map(async ([frame, events]) => {
        const indices = events.map(({ index }) => index);
        const descriptions = await this.#options.describe(frame.frame.lines, indices);
        described.set(frame, new Map(indices.map((index, n) => [index, descriptions[n] ?? UNREADABLE])));
      }),
    );
    return chosen.map(({ frame, index }) => snapshot(frame, index, described.get(frame)?.get(index) ?? UNREADABLE));
  }
}

const UNREADABLE: EventDescription = { resourceName: '', namespace: '', message: '' };

function snapshot(frame: LedgerFrame, index: number, description: EventDescription): EventSnapshot {
  const { origin, judgement } = frame;
  const internalType = judgement?.internalTypes[frame.frame.typeIndex.charCodeAt(index)] ?? '';
  return {
    id: frame.id(index),
    plugin: origin.plugin,
    type: typeAt(frame.frame, index),
    internalType,
    resourceName: description.resourceName,
    namespace: description.namespace,
    message: description.message,
    receivedAt: new Date(origin.receivedAt).toISOString(),
    outcome: frame.outcome(index),
    trail: trail(frame, index, internalType).map(toTrailStep),
  };
}

/** The steps that every event of a frame has in common are made here; the frame itself stores only what is special. */
function trail(frame: LedgerFrame, index: number, internalType: string): Step[] {
  const { origin, judgement } = frame;
  const steps: Step[] = [{ at: origin.receivedAt, step: 'received', detail: `from plugin ${origin.plugin}` }];
  const special = frame.steps(index);
  const outcome = frame.outcome(index);
  if (judgement !== null && outcome !== 'invalid' && outcome !== 'unmapped' && internalType !== '') {
    steps.push({ at: judgement.at, step: 'mapped', detail: `to ${internalType}` });
  }
  if (judgement !== null && special.length === 0)
    steps.push({ at: judgement.at, step: outcome ?? 'judged', detail: '' });
  return [...steps, ...special];
}

function toTrailStep({ at, step, detail }: Step): TrailStep {
  // An agent's answer, or an error, may quote what no event said.
  return { at: new Date(at).toISOString(), step, detail: redactText(detail) };
}
