/**
 * What no agent took, for a person to look at, to send out again or to forget. One that is sent out again (re-driven) is moved back into
 * the outbox in one step before anybody is told so, keeps its messageId, and claims its key as a firing does: what has fired again within
 * the dedup window meanwhile is not sent twice.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { Emitter } from '../base/emitter.ts';
import { HostError } from '../base/errors.ts';
import { agentId } from './agent-client.ts';
import type { DedupWindow } from './dedup.ts';
import type { Deliveries } from './deliveries.ts';
import type { Delivery } from './delivery.ts';
import type { DispatchEvents } from './events.ts';
import type { DeadLetterQuery, Outbox } from './outbox.ts';
import type { OutboxRoom } from './outbox-room.ts';

export interface DeadLettersOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly dedup: DedupWindow;
  readonly room: OutboxRoom;
  readonly deliveries: Deliveries;
  readonly events: Emitter<DispatchEvents>;
  readonly isStopping: () => boolean;
}

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  /** By messageId: being sent out again or dropped. */
  readonly #pending = new Map<string, Promise<Delivery>>();

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#options.outbox.deadLetterCount;
  }

  /** Newest first, without their prompts. Rejects with HOST_ERR_OUTBOX when they cannot be read. */
  list(query: DeadLetterQuery): Promise<readonly Delivery[]> {
    return this.#options.outbox.deadLetters(query);
  }

  /** Rejects with HOST_ERR_DEAD_LETTER_UNKNOWN. */
  async find(messageId: string): Promise<Delivery> {
    const letter = await this.#options.outbox.deadLetter(messageId);
    if (letter !== null) return letter;
    throw new HostError(
      'HOST_ERR_DEAD_LETTER_UNKNOWN',
      `There is no dead letter ${messageId.slice(0, 100)}: the id is wrong, or it was sent again, dropped or forgotten. 'khook dead-letters list' shows those there are.`,
      { kind: 'user' },
    );
  }

  /**
   * Resolves when it stands in the outbox again: from then on it is delivered as every firing is, also by a later life of khook.
   * Rejects with HOST_ERR_DEAD_LETTER_UNKNOWN, HOST_ERR_DEAD_LETTER_HELD, HOST_ERR_OUTBOX_FULL, HOST_ERR_OUTBOX or HOST_ERR_STOPPING.
   */
  redrive(messageId: string): Promise<Delivery> {
    return this.#once(messageId, async (letter) => {
      const { clock, dedup, deliveries, events, isStopping, outbox, room } = this.#options;
      if (room.isFull) throw full(letter);
      const until = dedup.silentUntil(letter.firing.dedupKey);
      if (until !== null) throw held(letter, until);
      const verdict = dedup.claim(letter.firing);
      const claim = verdict.kind === 'first' ? verdict.claim : null;
      const at = Math.floor(clock.wall());
      const delivery: Delivery = { ...letter, redrivenAt: at, state: { kind: 'queued', since: at } };
      try {
        await outbox.revive(delivery);
      } catch (error) {
        if (claim !== null) dedup.giveBack(letter.firing.dedupKey, claim);
        throw error;
      }
      // It stays in the outbox then, for the next life.
      if (isStopping()) return delivery;
      events.emit('firing:redriven', delivery);
      deliveries.start(delivery, claim);
      return delivery;
    });
  }

  /** Resolves when it is forgotten. Rejects with HOST_ERR_DEAD_LETTER_UNKNOWN, HOST_ERR_DEAD_LETTER_HELD, HOST_ERR_OUTBOX or HOST_ERR_STOPPING. */
  drop(messageId: string): Promise<Delivery> {
    return this.#once(messageId, async (letter) => {
      await this.#options.outbox.discard(messageId);
      this.#options.events.emit('dead-letter:dropped', letter);
      return letter;
    });
  }

  /** Resolves when nothing is under way that was asked for. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending.values());
  }

  /** One request at a time for each letter. Whoever asks is not kept waiting while the outbox cannot be written. */
  async #once(messageId: string, work: (letter: Delivery) => Promise<Delivery>): Promise<Delivery> {
    const { outbox, isStopping } = this.#options;
    if (isStopping()) throw new HostError('HOST_ERR_STOPPING', 'khook stops; its dead letters stay as they are.');
    if (outbox.fault !== null) throw new HostError('HOST_ERR_OUTBOX', outbox.fault.message);
    if (this.#pending.has(messageId)) throw busy(messageId);
    const pending = this.find(messageId).then(work);
    this.#pending.set(messageId, pending);
    const forget = (): void => void this.#pending.delete(messageId);
    pending.then(forget, forget);
    const fault = Promise.withResolvers<never>();
    const unsubscribe = outbox.events.on('outbox:fault', ({ message }) =>
      fault.reject(new HostError('HOST_ERR_OUTBOX', `${message} What was asked for is done then.`)),
    );
    try {
      return await Promise.race([pending, fault.promise]);
    } finally {
      unsubscribe();
    }
  }
}

function full({ messageId }: Delivery): HostError {
  return new HostError(
    'HOST_ERR_OUTBOX_FULL',
    `The outbox is full, and ${messageId} stays a dead letter. Check that the agents work, and try again when fewer firings wait.`,
  );
}

function held(letter: Delivery, until: number): HostError {
  const { messageId, firing } = letter;
  const again = `Hook ${firing.hook} has fired again for ${firing.resourceName.slice(0, 100)}, for agent ${agentId(letter)}`;
  return new HostError(
    'HOST_ERR_DEAD_LETTER_HELD',
    `${again}, and the agent must not be told twice: ${messageId} stays a dead letter. Its dedup window ends at ${new Date(until).toISOString()}; try again then, or drop it.`,
    { kind: 'user' },
  );
}

function busy(messageId: string): HostError {
  return new HostError('HOST_ERR_DEAD_LETTER_HELD', `${messageId} is being sent again or dropped already.`, {
    kind: 'user',
  });
}
