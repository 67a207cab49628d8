/**
 * The host's end of a wire to a plugin's thread: a MessagePort that is read in slices. Node hands over everything that waits on a
 * port in one turn of the loop, so that a thread which posts as fast as it can would keep the host from everything else. Here so
 * much is taken in one turn, the rest stays where it is until the next, and whoever listens is told what each slice cost.
 */

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import type { Port } from './port.ts';

/** Far more than a plugin that keeps to the protocol has waiting: frames come one per millisecond at the most. */
const SLICE_MESSAGES = 128;
const SLICE_MS = 5;
/** What is read of a port whose other end is gone. */
const LAST_MESSAGES = 1_024;
const LAST_MS = 20;

export interface Slice {
  readonly messages: number;
  /** Computed by this thread from the first message to the end; a slice of one message shows its receiver's share only. */
  readonly ms: number;
}

export interface BoundedPortOptions {
  readonly clock: Clock;
  /** Something came that cannot be a message of any protocol here: it carried ports, or could not be read. */
  readonly onFault: (fault: string) => void;
  readonly onSlice?: (slice: Slice) => void;
  /** Asked after each slice: for how long nothing is to be read. */
  readonly restMs?: () => number;
}

export interface BoundedPort<Out, In> extends Port<Out, In> {
  /** Takes what had arrived when the other side ended, within bounds. */
  readLast(): void;
}

export function boundedPort<Out, In>(port: MessagePort, options: BoundedPortOptions): BoundedPort<Out, In> {
  const { clock, onFault, onSlice, restMs = () => 0 } = options;
  let receiver: ((message: In) => void) | null = null;
  let isClosed = false;
  let isListening = false;
  let slice: { readonly startedAt: number; readonly cpu: number; messages: number; ms: number } | null = null;

  const take = (event: { readonly data: unknown; readonly ports: readonly MessagePort[] }): void => {
    within(() => {
      // A port that nobody closes is kept for ever.
      for (const stranger of event.ports) stranger.close();
      if (event.ports.length > 0) onFault(`a message that carries ${event.ports.length} ports`);
      else receiver?.(event.data as In);
    });
  };
  const unreadable = (): void => within(() => onFault('a message that cannot be read'));
  const within = (action: () => void): void => {
    // Node delivers what had arrived before a port was closed.
    if (isClosed) return;
    if (slice === null) {
      slice = { startedAt: clock.now(), cpu: clock.cpu(), messages: 0, ms: 0 };
      setImmediate(end);
    }
    const current = slice;
    current.messages += 1;
    action();
    current.ms = clock.cpu() - current.cpu;
    if (current.messages >= SLICE_MESSAGES || clock.now() - current.startedAt >= SLICE_MS) pause();
  };
  /** The turn is over: the others had theirs. */
  const end = (): void => {
    if (slice === null) return;
    const { messages, ms } = slice;
    slice = null;
    onSlice?.({ messages, ms });
    if (isClosed || receiver === null) return;
    const rest = restMs();
    if (rest === 0) listen();
    else {
      pause();
      clock.after(rest, () => {
        if (!isClosed) listen();
      });
    }
  };
  // Without a listener Node stops handing over, in the middle of a turn too.
  const listen = (): void => {
    if (isListening) return;
    isListening = true;
    port.addEventListener('message', take as never);
  };
  const pause = (): void => {
    isListening = false;
    port.removeEventListener('message', take as never);
  };

  port.addEventListener('messageerror', unreadable);
  port.once('close', () => {
    isClosed = true;
  });
  return {
    post(message) {
      if (!isClosed) port.postMessage(message);
    },
    receive(next) {
      receiver = next;
      listen();
    },
    onClose(listener) {
      if (isClosed) queueMicrotask(listener);
      else port.once('close', listener);
    },
    close() {
      isClosed = true;
      pause();
      port.close();
    },
    readLast() {
      if (isClosed || receiver === null) return;
      const startedAt = clock.now();
      for (let n = 0; n < LAST_MESSAGES && clock.now() - startedAt < LAST_MS; n += 1) {
        const next = receiveMessageOnPort(port);
        if (next === undefined) return;
        receiver(next.message as In);
      }
    },
  };
}
