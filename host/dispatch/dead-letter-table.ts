/** The dead letters in the file of the outbox. All that writes is called inside a transaction; throws what SQLite throws. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { agentId } from './agent-client.ts';
import { bytesOf, type Delivery } from './delivery.ts';
import { movedDelivery } from './file-time.ts';
import type { DeadLetterBounds, DeadLetterQuery } from './outbox.ts';
import { bodyOf, parseRow, stateOf } from './outbox-row.ts';

/** How many were forgotten because there were too many or too large ones, or because they were too old. */
export interface Forgotten {
  readonly size: number;
  readonly age: number;
}

const SQL = {
  add: `INSERT INTO dead_letter (message_id, died_at, bytes, hook, agent, state, body, prompt)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  remove: 'DELETE FROM dead_letter WHERE message_id = ? RETURNING bytes',
  find: 'SELECT state, body, prompt FROM dead_letter WHERE message_id = ?',
  list: `SELECT state, body FROM dead_letter WHERE (?1 IS NULL OR hook = ?1) AND (?2 IS NULL OR agent = ?2)
    ORDER BY id DESC LIMIT ?3`,
  totals: 'SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM dead_letter',
  oldest: 'SELECT min(died_at) AS at FROM dead_letter',
  removeOld: 'DELETE FROM dead_letter WHERE died_at < ? RETURNING bytes',
  removeFirst: 'DELETE FROM dead_letter WHERE id = (SELECT min(id) FROM dead_letter) RETURNING bytes',
} as const;

interface Totals {
  readonly count: number;
  readonly bytes: number;
}

export class DeadLetterTable {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #bounds: DeadLetterBounds;
  /** Null: to be counted anew. */
  #totals: Totals | null = null;

  constructor(database: DatabaseSync, bounds: DeadLetterBounds) {
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#sum().count;
  }

  /** A transaction was undone. */
  recount(): void {
    this.#totals = null;
  }

  /** Its times and `now` are on the scale of the file. */
  add(delivery: Delivery, now: number): void {
    const { messageId, firing } = delivery;
    const [bytes, state] = [bytesOf(delivery), stateOf(delivery)];
    const body = bodyOf({ ...delivery, firing: { ...firing, prompt: '' } });
    this.remove(messageId);
    const before = this.#sum();
    this.#statements.add.run(messageId, now, bytes, firing.hook, agentId(delivery), state, body, firing.prompt);
    this.#totals = { count: before.count + 1, bytes: before.bytes + bytes };
  }

  remove(messageId: string): void {
    this.#take(this.#statements.remove, messageId);
  }

  /** Whether `prune` would take one. */
  isOver(now: number): boolean {
    const { at } = this.#statements.oldest.get() as { at: number | null };
    return this.#isTooMuch || (at !== null && at < now - this.#bounds.maxAgeMs);
  }

  prune(now: number): Forgotten {
    const age = this.#take(this.#statements.removeOld, now - this.#bounds.maxAgeMs);
    let size = 0;
    while (this.#isTooMuch) size += this.#take(this.#statements.removeFirst);
    return { size, age };
  }

  list({ limit, hook, agent }: DeadLetterQuery, steppedMs: number): readonly Delivery[] {
    const rows = this.#statements.list.all(hook, agent, limit) as unknown as readonly { state: string; body: string }[];
    return rows.map((row) => movedDelivery(parseRow(row), steppedMs));
  }

  find(messageId: string, steppedMs: number): Delivery | null {
    const row = this.#statements.find.get(messageId) as { state: string; body: string; prompt: string } | undefined;
    if (row === undefined) return null;
    const delivery = movedDelivery(parseRow(row), steppedMs);
    return { ...delivery, firing: { ...delivery.firing, prompt: row.prompt } };
  }

  get #isTooMuch(): boolean {
    const { count, bytes } = this.#sum();
    return count > 1 && (count > this.#bounds.maxCount || bytes > this.#bounds.maxBytes);
  }

  #take(statement: StatementSync, ...parameters: (string | number)[]): number {
    const { count, bytes } = this.#sum();
    const removed = statement.all(...parameters) as unknown as readonly { bytes: number }[];
    const removedBytes = removed.reduce((sum, row) => sum + row.bytes, 0);
    this.#totals = { count: count - removed.length, bytes: bytes - removedBytes };
    return removed.length;
  }

  #sum(): Totals {
    this.#totals ??= this.#statements.totals.get() as unknown as Totals;
    return this.#totals;
  }
}
