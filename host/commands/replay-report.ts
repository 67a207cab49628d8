/** How a replay is told, in whichever form. */

import type { ReplayedEvent } from '../replay/dry-run.ts';
import type { BrokenLine, RecordingFacts } from '../replay/recording.ts';
import type { Tally } from '../replay/tally.ts';

export interface ReplayEnd {
  readonly tally: Tally;
  readonly facts: RecordingFacts;
  readonly digests: { readonly before: ReadonlyMap<string, number>; readonly now: ReadonlyMap<string, number> };
}

export interface ReplayReport {
  broken(line: BrokenLine): void;
  event(event: ReplayedEvent): void;
  end(end: ReplayEnd): void;
}

export interface ReportOptions {
  /** Also firings that are the same. */
  readonly showsAll: boolean;
  readonly showsPrompts: boolean;
  readonly write: (text: string) => void;
  /** To the side, one line. */
  readonly say: (text: string) => void;
}
