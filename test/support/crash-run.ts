/** A real host, killed again and again while events come in, before an agent that counts what it is sent. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { MisbehavingAgent } from './misbehaving-agent.ts';
import { freePort, writeFiles } from './running-host.ts';
import { tempDir } from './temp-dir.ts';

const KHOOK = resolve(import.meta.dirname, '../../scripts/khook');
const CLIENTS = 6;
const HOOK = JSON.stringify({
  apiVersion: 'kagent.dev/v1alpha2',
  kind: 'Hook',
  metadata: { name: 'crash' },
  spec: {
    eventConfigurations: [
      { eventType: 'webhook-received', agentRef: { name: 'a' }, prompt: 'resource {{.ResourceName}} end' },
    ],
  },
});
const MAPPINGS =
  'mappings: [{ eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived, severity: info }]';

export interface CrashReport {
  readonly kills: number;
  /** Of them while the host was starting. */
  readonly killsAtStart: number;
  /** Events that were answered with 200, repeats left out. */
  readonly acknowledged: number;
  readonly repeats: number;
  /** Requests that were not answered with 200. */
  readonly failed: number;
  /** Messages that the agent took. */
  readonly messages: number;
  /** Messages that it was sent more than once, under the same id. */
  readonly sentTwice: number;
  /** Taken over from a life before, over all lives. */
  readonly restored: number;
}

interface Ledger {
  readonly received: number;
  readonly restored: number;
  readonly inFlight: number;
  readonly residual: number;
}

export class CrashRun {
  readonly #directory: string;
  readonly #agent: MisbehavingAgent;
  readonly #ports: { readonly webhook: number; readonly metrics: number };
  readonly #acknowledged = new Set<string>();
  #host: ChildProcess | null = null;
  #output = '';
  #isOver = false;
  #answers = 0;
  #failed = 0;
  #repeats = 0;
  #restored = 0;

  private constructor(directory: string, agent: MisbehavingAgent, ports: { webhook: number; metrics: number }) {
    this.#directory = directory;
    this.#agent = agent;
    this.#ports = ports;
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<CrashRun> {
    const directory = tempDir(t);
    const agent = await MisbehavingAgent.start();
    t.after(() => agent.stop());
    const ports = { webhook: await freePort(), metrics: await freePort() };
    const { webhook } = ports;
    const plugins = JSON.stringify({
      plugins: [
        {
          name: 'webhook',
          config: { port: webhook, host: '127.0.0.1' },
          permissions: { net: { listen: [webhook] }, env: ['WEBHOOK_TOKEN', 'WEBHOOK_SECRET'] },
        },
      ],
      settings: { delivery: { concurrencyPerAgent: 64, queueLimit: 100_000 } },
    });
    writeFiles(directory, {
      plugins,
      mappings: MAPPINGS,
      hooks: { 'hook.yaml': HOOK },
      bundles: { webhook: 'plugins/webhook' },
    });
    const run = new CrashRun(directory, agent, ports);
    t.after(() => run.#kill());
    return run;
  }

  async run(kills: number, random: () => number): Promise<CrashReport> {
    this.#boot();
    const clients = Array.from({ length: CLIENTS }, (_, n) => this.#client(n, random));
    const watch = this.#watchLedger();
    let killsAtStart = 0;
    for (let n = 0; n < kills; n += 1) {
      const isAtStart = random() < 0.25;
      if (isAtStart) killsAtStart += 1;
      else await this.#untilServing();
      await sleep(random() * (isAtStart ? 900 : 300));
      await this.#kill();
      this.#boot();
    }
    await this.#untilServing();
    this.#isOver = true;
    await Promise.all([...clients, watch]);
    const ledger = await eventually(async () => {
      const now = await this.#ledger();
      return now !== null && now.inFlight === 0 ? now : null;
    }, 60_000);
    assert.equal(ledger.residual, 0);
    this.#judge();
    const taken = [...this.#agent.taken.values()];
    return {
      kills,
      killsAtStart,
      acknowledged: this.#acknowledged.size,
      repeats: this.#repeats,
      failed: this.#failed,
      messages: taken.length,
      sentTwice: taken.filter((times) => times > 1).length,
      restored: this.#restored,
    };
  }

  /** Every acknowledged event has reached the agent, and no resource under two messageIds. */
  #judge(): void {
    const messages = new Map<string, Set<string>>();
    for (const { text, messageId } of this.#agent.sends) {
      const resource = /resource (\S+) end/.exec(text)?.[1] ?? '';
      const ids = messages.get(resource) ?? new Set();
      messages.set(resource, ids.add(messageId));
    }
    const lost = [...this.#acknowledged].filter((resource) => !messages.has(resource));
    assert.deepEqual(lost, [], `acknowledged and never delivered\n${this.#output.slice(-4_000)}`);
    const doubled = [...messages].filter(([, ids]) => ids.size > 1).map(([resource]) => resource);
    assert.deepEqual(doubled, [], `fired twice within the window\n${this.#output.slice(-4_000)}`);
  }

  #boot(): void {
    const { metrics } = this.#ports;
    const flags = [
      ...['--no-keeper', '--config', join(this.#directory, 'config'), '--plugins', join(this.#directory, 'plugins')],
      ...['--metrics-port', String(metrics), '--health-port', '0', '--admin-port', '0'],
      ...['--listen-address', '127.0.0.1', '--agent-url', this.#agent.url, '--log-level', 'warn'],
    ];
    const host = spawn(KHOOK, ['run', ...flags], {
      cwd: this.#directory,
      env: { PATH: process.env.PATH ?? '', HOME: this.#directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [host.stdout, host.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    this.#host = host;
    this.#answers = 0;
  }

  async #kill(): Promise<void> {
    const host = this.#host;
    this.#host = null;
    if (host === null || host.exitCode !== null) {
      assert.ok(host === null, `the host ended by itself with ${host?.exitCode}:\n${this.#output.slice(-4_000)}`);
      return;
    }
    const gone = new Promise((done) => host.once('exit', done));
    host.kill('SIGKILL');
    await gone;
  }

  async #untilServing(): Promise<void> {
    await eventually(() => this.#answers > 0).catch((error: unknown) => {
      throw new Error(`the host does not serve:\n${this.#output.slice(-4_000)}`, { cause: error });
    });
  }

  /** Sends each event until it is acknowledged, as a good sender does, and now and then an old one again. */
  async #client(id: number, random: () => number): Promise<void> {
    const sent: string[] = [];
    for (let n = 0; !this.#isOver; n += 1) {
      const isRepeat = sent.length > 0 && random() < 0.2;
      const resource = isRepeat ? (sent[Math.floor(random() * sent.length)] ?? '') : `r-${id}-${n}`;
      if (await this.#post(resource)) {
        if (isRepeat) this.#repeats += 1;
        else sent.push(resource);
        this.#acknowledged.add(resource);
        await sleep(random() * 10);
      } else {
        // Whether it was taken nobody knows: sending it again must be safe.
        this.#failed += 1;
        if (!isRepeat) n -= 1;
        await sleep(20);
      }
    }
  }

  async #post(resource: string): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#ports.webhook}/webhook`, {
        method: 'POST',
        body: JSON.stringify({ resource, message: 'x'.repeat(200) }),
        signal: AbortSignal.timeout(5_000),
      });
      await answer.arrayBuffer();
      if (answer.status === 200) this.#answers += 1;
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  async #watchLedger(): Promise<void> {
    let life: ChildProcess | null = null;
    while (!this.#isOver) {
      const host = this.#host;
      const ledger = await this.#ledger();
      if (ledger !== null && host === this.#host) {
        assert.equal(ledger.residual, 0, JSON.stringify(ledger));
        if (life !== host) this.#restored += ledger.restored;
        life = host;
      }
      await sleep(25);
    }
  }

  async #ledger(): Promise<Ledger | null> {
    try {
      return (await (await fetch(`http://127.0.0.1:${this.#ports.metrics}/api/v1/ledger`)).json()) as Ledger;
    } catch {
      return null;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
