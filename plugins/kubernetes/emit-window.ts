// Runs in the plugin thread.
/** Lets a bounded number of events be on their way at once: whoever reads a watch waits here, and with it the API server. */

export class EmitWindow {
  readonly #limit: number;
  readonly #signal: AbortSignal;
  #onTheirWay = 0;
  /** Readers that wait for room, oldest first. Callbacks, because racing a long-lived promise would grow its list of reactions. */
  #waiting: (() => void)[] = [];

  constructor(limit: number, signal: AbortSignal) {
    this.#limit = limit;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wakeAll(), { once: true });
  }

  /** Somebody waits: khook takes no more for the moment. */
  get isFull(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes `sending`, which must not reject, and waits until there is room for another. Never waits once the plugin is stopping. */
  async add(sending: Promise<void>): Promise<void> {
    this.#onTheirWay += 1;
    void sending.then(() => {
      this.#onTheirWay -= 1;
      this.#waiting.shift()?.();
    });
    while (this.#onTheirWay >= this.#limit && !this.#signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
