/** The host's half of the events wire as tests of the sender see it, and how each promise of an event ended. */

import assert from 'node:assert/strict';
import { codeOf } from '../../../ipc/errors.ts';
import type { PluginEvent, Receipt } from '../../../ipc/event.ts';
import { type Frame, frameFault } from '../../../ipc/frame.ts';
import type { Refusal, ToHost, ToPlugin } from '../../../ipc/messages.ts';
import { EventSender } from '../../../ipc/runtime/event-sender.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { TestPort } from '../../support/test-port.ts';

export const PREFIX = 'emitter-r-1';

/** The host's half of the events wire, with the book-keeping that the inlet does, and a model of what may be in flight. */
export class Host {
  readonly clock = new FakeClock();
  readonly port = new TestPort<ToHost, ToPlugin>();
  readonly sender = new EventSender({
    port: this.port,
    clock: this.clock,
    plugin: 'emitter',
    generation: 1,
    idPrefix: PREFIX,
  });
  readonly left = { events: 0, bytes: 0 };
  readonly frames: Frame[] = [];
  readonly unacknowledged: Frame[] = [];
  readonly refusedOrdinals = new Set<number>();
  readonly localRefusals: string[] = [];
  #ordinals = new Map<number, number>();
  #next = 0;

  grant(events: number, bytes: number): void {
    this.left.events += events;
    this.left.bytes += bytes;
    this.port.deliver({ kind: 'credit', events, bytes });
  }

  /** Reads what arrived, holding each frame against the protocol and the credit. */
  read(): void {
    for (const message of this.port.take()) {
      if (message.kind === 'refused') this.localRefusals.push(message.code);
      if (message.kind !== 'frame') continue;
      assert.equal(frameFault(message), null);
      assert.deepEqual([message.generation, message.sequence], [1, this.frames.length]);
      const lines = message.lines.split('\n');
      assert.equal(lines.length, message.count);
      for (const line of lines) {
        assert.ok(this.left.events > 0, 'an event without credit');
        assert.ok(this.left.bytes > 0, 'bytes overrun by more than one line');
        this.left.events -= 1;
        this.left.bytes -= line.length + 1;
      }
      this.#ordinals.set(message.sequence, this.#next);
      this.#next += message.count;
      this.frames.push(message);
      this.unacknowledged.push(message);
    }
  }

  /** Acknowledges one frame; `refuse` picks events of it. */
  acknowledge(refuse: (index: number) => boolean = () => false, position = 0): void {
    const [frame] = this.unacknowledged.splice(position, 1);
    if (frame === undefined) return;
    const first = this.#ordinals.get(frame.sequence) ?? 0;
    const refusals: Refusal[] = [];
    for (let index = 0; index < frame.count; index += 1) {
      if (!refuse(index)) continue;
      refusals.push({ index, code: 'EVENT_ERR_INVALID', message: `no ${index}` });
      this.refusedOrdinals.add(first + index);
    }
    const bytes = frame.lines.length + 1;
    this.left.events += frame.count;
    this.left.bytes += bytes;
    this.port.deliver({ kind: 'ack', sequence: frame.sequence, refusals, events: frame.count, bytes });
  }

  get numbers(): number[] {
    return this.frames.flatMap((frame) => frame.lines.split('\n').map((line) => JSON.parse(line).metadata.n));
  }
}

/** How each promise ended, by the number of its event. */
export class Ends {
  readonly receipts = new Map<number, string>();
  readonly refusals = new Map<number, string>();
  open = 0;

  follow(n: number, promise: Promise<Receipt>): void {
    this.open += 1;
    const once = (): void => {
      assert.ok(!this.receipts.has(n) && !this.refusals.has(n), 'a promise settled twice');
      this.open -= 1;
    };
    promise.then(
      ({ id }) => {
        once();
        this.receipts.set(n, id);
      },
      (error: unknown) => {
        once();
        this.refusals.set(n, codeOf(error));
      },
    );
  }
}

export const event = (n: number, padding = 0): PluginEvent => ({
  type: `t${n % 3}`,
  resourceName: 'r',
  message: 'x'.repeat(padding),
  metadata: { n },
});

export const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
