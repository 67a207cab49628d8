/** Outboxes in files, and what stands in them. */

import type { TestContext } from 'node:test';
import type { Delivery, DeliveryState } from '../../../host/dispatch/delivery.ts';
import type { OutboxEvents } from '../../../host/dispatch/events.ts';
import type { Outbox } from '../../../host/dispatch/outbox.ts';
import { OutboxFile } from '../../../host/dispatch/outbox-file.ts';
import { SqliteOutbox, type SqliteOutboxOptions } from '../../../host/dispatch/sqlite-outbox.ts';
import type { Firing } from '../../../host/match/verdict.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { nthFiring } from './firing.ts';

export interface OpenOutbox {
  readonly outbox: SqliteOutbox;
  readonly faults: OutboxEvents['outbox:fault'][];
  /** Names of what it said, in order. */
  readonly said: string[];
  close(): Promise<void>;
}

export async function openOutbox(
  t: Pick<TestContext, 'after'>,
  directory: string,
  options: Partial<SqliteOutboxOptions> = {},
): Promise<OpenOutbox> {
  const given = { durability: 'process', clock: systemClock, random: () => 0, ...options } as const;
  const outbox = new SqliteOutbox({ directory, ...given });
  const faults: OutboxEvents['outbox:fault'][] = [];
  const said: string[] = [];
  outbox.events.on('outbox:fault', (fault) => faults.push(fault));
  for (const name of ['outbox:opened', 'outbox:fault', 'outbox:recovered'] as const)
    outbox.events.on(name, () => said.push(name));
  const close = (): Promise<void> => outbox[Symbol.asyncDispose]();
  t.after(close);
  await outbox.open();
  return { outbox, faults, said, close };
}

/** The n-th of many different ones. */
export function delivery(n: number, state?: DeliveryState, changes: Partial<Firing> = {}): Delivery {
  return {
    messageId: `message-${n}`,
    contextId: `context-${n}`,
    eventId: `webhook-run-1-${n.toString(36)}`,
    acceptedAt: 1_000 + n,
    firing: nthFiring(n, changes),
    state: state ?? { kind: 'queued', since: 1_000 + n },
  };
}

export const DEAD: DeliveryState = { kind: 'dead', reason: 'no', code: 'HOST_ERR_AGENT_REFUSED', at: 5 };

export async function idsIn({ outbox }: { readonly outbox: Outbox }): Promise<string[]> {
  return (await outbox.list()).map(({ messageId }) => messageId);
}

/** As on a full disk: no commit succeeds until it is mended. */
export function breakFile(t: TestContext): { mend(): void } {
  const full = Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
  const commit = t.mock.method(OutboxFile.prototype, 'commit', () => {
    throw full;
  });
  return { mend: () => commit.mock.restore() };
}
