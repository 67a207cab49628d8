import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { HostError } from '../../../host/base/errors.ts';
import type { HttpServer } from '../../../host/http/server.ts';
import type {
  DeadLetterSnapshot,
  EventSnapshot,
  HostView,
  LedgerSnapshot,
  PluginSnapshot,
} from '../../../host/http/view.ts';
import { OUTCOMES, type Outcome } from '../../../ipc/event.ts';

export const PLUGIN: PluginSnapshot = {
  name: 'webhook',
  version: '1.0.0',
  state: 'running',
  reason: '',
  remedy: '',
  required: true,
  generation: 1,
  isolation: 'thread',
  memoryBytes: 5_000_000,
  externalBytes: 1_000,
  memoryLimitBytes: 67_108_864,
  cpuSeconds: 0.5,
  eventLoopUtilization: 0.01,
  restarts: { crash: 1 },
  eventsAccepted: 3,
  lastEventAt: null,
  lastExit: null,
  nextStartAt: null,
  retryAt: null,
  permissions: null,
};

export const EVENT: EventSnapshot = {
  id: 'w-1-0',
  plugin: 'webhook',
  type: 'webhook-received',
  internalType: 'WebhookReceived',
  resourceName: 'api',
  namespace: '',
  message: 'hello',
  receivedAt: '2026-01-02T03:04:05.678Z',
  outcome: 'unmatched',
  trail: [{ at: '2026-01-02T03:04:05.678Z', step: 'received', detail: '' }],
};

export const DEAD_LETTER: DeadLetterSnapshot = {
  id: '0f1e2d3c-4b5a-4678-8899-aabbccddeeff',
  hook: 'default/h',
  agent: 'kagent/a',
  resourceName: 'api',
  eventId: 'w-1-0',
  eventType: 'WebhookReceived',
  namespace: '',
  code: 'HOST_ERR_AGENT_REFUSED',
  reason: 'The agent answered with HTTP 404.',
  attempts: 1,
  firstAttemptAt: '2026-01-02T03:04:05.678Z',
  lastAttemptAt: '2026-01-02T03:04:05.678Z',
  acceptedAt: '2026-01-02T03:04:05.678Z',
  redrivenAt: null,
  diedAt: '2026-01-02T03:04:06.678Z',
};

const LEDGER: LedgerSnapshot = {
  received: 1,
  restored: 0,
  inFlight: 0,
  outcomes: Object.fromEntries(OUTCOMES.map((name) => [name, name === 'unmatched' ? 1 : 0])) as Record<Outcome, number>,
  residual: 0,
};

/** A host in which one event has happened. */
export function view(changes: Partial<HostView> = {}): HostView {
  return {
    version: '0.1.0',
    status: () => ({ version: '0.1.0', startedAt: EVENT.receivedAt, now: EVENT.receivedAt, ready: true, checks: [] }),
    doctor: async () => ({ version: '0.1.0', at: EVENT.receivedAt, findings: [] }),
    history: () => ({
      everySeconds: 10,
      at: [],
      host: { receivedPerSecond: [], deliveredPerSecond: [], inFlight: [] },
      plugins: [],
    }),
    plugins: () => [PLUGIN],
    events: async () => [EVENT],
    event: async (id) => (id === EVENT.id ? EVENT : null),
    hooks: () => [
      {
        namespace: 'default',
        name: 'h',
        ready: true,
        reason: '',
        eventTypes: ['WebhookReceived'],
        suspend: false,
        lastFired: null,
        activeEvents: 0,
      },
    ],
    hook: async () => null,
    ledger: () => LEDGER,
    deadLetters: async () => ({ total: 1, deadLetters: [DEAD_LETTER] }),
    deadLetter: async (id) => {
      if (id === DEAD_LETTER.id) return { ...DEAD_LETTER, prompt: 'look' };
      throw new HostError('HOST_ERR_DEAD_LETTER_UNKNOWN', 'There is no such dead letter.', { kind: 'user' });
    },
    flightRecords: () => [],
    stream: () => () => undefined,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'khook_events_total 1\n' }),
    healthz: () => [{ name: 'loop', ok: true, detail: '' }],
    readyz: () => [
      { name: 'config', ok: true, detail: '' },
      { name: 'plugin-webhook', ok: true, detail: '' },
    ],
    ...changes,
  };
}

/** Starts it on a free loopback port and stops it after the test; the URL without a slash at its end. */
export async function serve(t: Pick<TestContext, 'after'>, server: HttpServer): Promise<string> {
  const port = await server.start({ port: 0, host: '127.0.0.1' });
  t.after(() => server.stop());
  return `http://127.0.0.1:${port}`;
}

/** Sends bytes as they are and returns all that came back until the other side closed. */
export function rawRequest(url: string, text: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
    socket.write(text);
  });
}
