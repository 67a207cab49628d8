/** A dispatch in front of a real HTTP agent, with everything it says written down and everything closed after the test. */

import type { TestContext } from 'node:test';
import { A2aClient } from '../../../host/dispatch/a2a-client.ts';
import { Dispatch } from '../../../host/dispatch/dispatch.ts';
import type { DispatchEvents } from '../../../host/dispatch/events.ts';
import { MemoryOutbox } from '../../../host/dispatch/memory-outbox.ts';
import type { DeadLetterQuery, Outbox } from '../../../host/dispatch/outbox.ts';
import { DISPATCH_DEFAULTS, type DispatchSettings } from '../../../host/dispatch/settings.ts';
import { type Clock, systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { type Manners, MisbehavingAgent } from '../../support/misbehaving-agent.ts';

export type Settled = DispatchEvents['firing:settled'];

export interface Rig {
  readonly dispatch: Dispatch;
  readonly outbox: Outbox;
  readonly client: A2aClient;
  readonly settled: readonly Settled[];
  readonly errors: readonly DispatchEvents['call:error'][];
  /** Names of events in order. */
  readonly said: readonly string[];
  /** Waits for the n-th settled firing. */
  settledAt(n: number): Promise<Settled>;
}

export interface RigOptions {
  readonly baseUrl: string;
  readonly agentUrl?: string | null;
  readonly timeoutMs?: number;
  /** Firings for which there is room. */
  readonly capacity?: number;
  /** Open. Default: one in memory. */
  readonly outbox?: Outbox;
  readonly clock?: Clock;
  readonly settings?: Partial<DispatchSettings>;
}

export const ALL: DeadLetterQuery = { limit: 100, hook: null, agent: null };

export const FAST_RETRY: DispatchSettings['retry'] = {
  attempts: 3,
  backoff: { initialMs: 20, maxMs: 40, factor: 2 },
  maxRetryAfterMs: 2_000,
};

const EVENTS = [
  'firing:accepted',
  'firing:duplicate',
  'call:started',
  'call:accepted',
  'call:error',
  'task:completed',
  'firing:settled',
  'circuit:opened',
  'circuit:closed',
  'outbox:error',
] as const satisfies readonly (keyof DispatchEvents)[];

export function rig(t: TestContext, options: RigOptions): Rig {
  const { baseUrl, agentUrl = null, timeoutMs = 2_000, capacity = 1_000, settings = {} } = options;
  const client = new A2aClient({ baseUrl, userId: 'me@example.com', timeoutMs, clock: systemClock, agentUrl });
  const clock = options.clock ?? systemClock;
  const outbox = options.outbox ?? new MemoryOutbox({ clock });
  const room = { ...DISPATCH_DEFAULTS.room, maxFirings: capacity };
  const dispatch = new Dispatch({
    clock,
    outbox,
    client,
    settings: { ...DISPATCH_DEFAULTS, retry: FAST_RETRY, taskTimeoutMs: 5_000, room, ...settings },
  });
  const settled: Settled[] = [];
  const errors: DispatchEvents['call:error'][] = [];
  const said: string[] = [];
  for (const name of EVENTS) dispatch.events.on(name, () => said.push(name));
  dispatch.events.on('firing:settled', (each) => settled.push(each));
  dispatch.events.on('call:error', (each) => errors.push(each));
  t.after(async () => {
    await dispatch[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
  });
  const settledAt = (n: number): Promise<Settled> => eventually(() => settled[n - 1]);
  return { dispatch, outbox, client, settled, errors, said, settledAt };
}

/** An agent that is stopped after the test; the rig in front of it has been closed by then. */
export async function misbehaving(t: TestContext, manners: Manners = {}): Promise<MisbehavingAgent> {
  const agent = await MisbehavingAgent.start(manners);
  t.after(() => agent.stop());
  return agent;
}
