/** The leftovers of a stop: which plugin refused which step of the ladder (ask it to drain, ask it to stop, terminate it), and for how long. */

export type StopStep = 'drain' | 'stop' | 'terminate';

export interface RefusedStep {
  readonly step: StopStep;
  /** How long it was waited for. */
  readonly afterMs: number;
  /** What came instead of obedience: its error; empty when nothing came at all. */
  readonly error: string;
}

export interface Unstopped {
  readonly plugin: string;
  readonly generation: number;
  /** In the order of the ladder; not empty. With `terminate` among them something of it still runs. */
  readonly refused: readonly RefusedStep[];
}
