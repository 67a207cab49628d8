/**
 * Why a Hook fires or not, asked of a running host: its faults and its nearest misses among the newest events. Whoever asks, however
 * often and about whichever Hook, all Hooks are looked at once and at most once in a few seconds.
 */

import type { HookDetail, HookSnapshot } from './http/view.ts';
import { type InquiryAnswer, inquire } from './replay/inquiry.ts';
import { Recordings, type RecordingsOptions } from './snapshots/recordings.ts';

/** Events looked at: so many, and no more text than this. */
const LAST = 256;
const MAX_TEXT = 1024 * 1024;
const FRESH_MS = 5_000;

export class HookInquiry {
  readonly #clock: RecordingsOptions['rooms']['clock'];
  readonly #recordings: Recordings;
  #answer: Promise<InquiryAnswer> | null = null;

  constructor(options: Omit<RecordingsOptions, 'onOpened'>) {
    this.#clock = options.rooms.clock;
    this.#recordings = new Recordings({ ...options, onOpened: () => undefined });
  }

  /** `snapshots`: of all Hooks. null: no such Hook is in force. Rejects with HOST_ERR_MATCH. */
  async explain(id: string, snapshots: readonly HookSnapshot[]): Promise<HookDetail | null> {
    const snapshot = snapshots.find((each) => idOf(each) === id);
    if (snapshot === undefined) return null;
    this.#answer ??= this.#ask(snapshots);
    const found = (await this.#answer).get(id);
    // It has come just now.
    return { ...snapshot, ...(found ?? { looked: 0, says: [], faults: [], misses: [] }) };
  }

  async #ask(snapshots: readonly HookSnapshot[]): Promise<InquiryAnswer> {
    try {
      const states = new Map(snapshots.map((each) => [idOf(each), each]));
      const lines = [...(await this.#remembered(true)), ...(await this.#remembered(false))];
      return await inquire(this.#clock, { lines: newest(lines), states });
    } finally {
      this.#clock.after(FRESH_MS, () => {
        this.#answer = null;
      });
    }
  }

  /** The lines that a listener would be told, secrets taken out. */
  #remembered(inFlight: boolean): Promise<string[]> {
    const lines: string[] = [];
    const query = { plugins: null, outcomes: null, last: LAST, inFlight, follow: false, raw: false };
    return new Promise((resolve) => {
      this.#recordings.open(query, {
        push: ({ data }) => lines.push(data),
        miss: () => undefined,
        ready: async () => true,
        end: () => resolve(lines),
      });
    });
  }
}

/** The configuration, and of the events the last ones that have room. */
function newest(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let text = 0;
  for (const line of lines.toReversed()) {
    const isConfig = line.startsWith('{"kind":"config"');
    if (!isConfig && (kept.length > LAST || text + line.length > MAX_TEXT)) continue;
    if (!isConfig) text += line.length;
    kept.push(line);
  }
  return kept.reverse();
}

function idOf({ namespace, name }: HookSnapshot): string {
  return `${namespace}/${name}`;
}
