// Runs in the plugin thread.
/** Lets a bounded number of events be on their way at once: the reader of a watch waits here, and with it the API server. */

export class EmitWindow {
  readonly #limit: number;
  readonly #signal: AbortSignal;
  #onTheirWay = 0;
  /** The one reader that waits for room. A callback, because racing a long-lived promise would grow its list of reactions. */
  #wake: () => void = () => {};

  constructor(limit: number, signal: AbortSignal) {
    this.#limit = limit;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Takes `sending`, which must not reject, and waits until there is room for another. Never waits once the plugin is stopping. */
  async add(sending: Promise<void>): Promise<void> {
    this.#onTheirWay += 1;
    void sending.then(() => {
      this.#onTheirWay -= 1;
      this.#wake();
    });
    while (this.#onTheirWay >= this.#limit && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
