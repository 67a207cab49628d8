import type { Port } from '../../ipc/port.ts';

/** One end of a wire whose other end is the test: what is posted is cloned, as on a real wire, and kept until it is taken. */
export class TestPort<Out, In> implements Port<Out, In> {
  #sent: Out[] = [];
  #receiver: ((message: In) => void) | null = null;
  readonly #closed: (() => void)[] = [];
  isClosed = false;

  post(message: Out): void {
    if (!this.isClosed) this.#sent.push(structuredClone(message));
  }

  receive(receiver: (message: In) => void): void {
    this.#receiver = receiver;
  }

  onClose(listener: () => void): void {
    this.#closed.push(listener);
  }

  close(): void {
    this.isClosed = true;
    for (const listener of this.#closed.splice(0)) listener();
  }

  /** What was posted since the last time, oldest first. */
  take(): Out[] {
    return this.#sent.splice(0);
  }

  deliver(message: In): void {
    this.#receiver?.(structuredClone(message));
  }
}
