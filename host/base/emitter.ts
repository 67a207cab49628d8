/** Typed events of a room. Rooms emit `noun:verb`; telemetry is the consumer. A listener that throws is a bug of the listener alone. */

export type Listener<Payload> = (payload: Payload) => void;

export interface Subscribable<Events extends object> {
  /** Returns the function that unsubscribes. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void;
}

export class Emitter<Events extends object> implements Subscribable<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Whether anybody listens: for what is costly to gather. */
  isHeard(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    // A copy: whoever subscribes because of an event is not told that event, or it could go round in circles.
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue;
      // A listener must not be able to break the room that emits: it is reported once the stack is clear.
      try {
        (listener as Listener<Events[Name]>)(payload);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
