/** A whole khook host inside the bench's process, on free ports, with the load plugin and a log that is read instead of printed. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../host/app.ts';
import { readEnvironment } from '../host/config/environment.ts';

export interface LoadConfig {
  readonly count: number;
  readonly perSecond: number;
  /** How many different things the events are about; default 100. */
  readonly resources?: number;
}

export interface LoadResult {
  readonly ms: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** CPU time of the host thread. */
  readonly hostMicros: number;
}

const MAPPINGS = 'mappings: [{ eventSource: load, eventType: measured, internalType: Measured }]\n';
/** A Hook of another namespace: every event is decoded, validated, mapped and looked up, and none fires. */
const HOOK = `
apiVersion: kagent.dev/v1alpha2
kind: Hook
metadata: { name: elsewhere, namespace: elsewhere }
spec: { eventConfigurations: [{ eventType: Measured, agentRef: { name: a }, prompt: p }] }
`;

/** Every event fires, with a prompt of a usual size, for an agent that is down: what is measured is the taking over, not the delivery. */
const FIRING_HOOK = `
apiVersion: kagent.dev/v1alpha2
kind: Hook
metadata: { name: all, namespace: bench }
spec: { eventConfigurations: [{ eventType: Measured, agentRef: { name: a }, prompt: "${'Look at {{.ResourceName}}. '.repeat(20)}" }] }
`;
const NOBODY = 'http://127.0.0.1:1/';

export type Tier = 'thread' | 'process';

export interface BenchHost {
  readonly isolation?: Tier;
  /** What an accepted firing survives; null: nothing. Then every event fires. Absent: none does. */
  readonly durability?: 'process' | 'machine' | null;
}

export function runLoad(load: LoadConfig, isolation: Tier = 'thread'): Promise<LoadResult> {
  return runHost(load, { isolation });
}

export async function runHost(load: LoadConfig, { isolation = 'thread', durability }: BenchHost): Promise<LoadResult> {
  const directory = mkdtempSync(join(tmpdir(), 'khook-bench-'));
  // The load plugin paces itself by spinning: it may use its core.
  const limit = 'rateLimit: { eventsPerSecond: 1000000, burst: 1000000 }, limits: { cpuShare: 1 }';
  writeFileSync(
    join(directory, 'plugins.yaml'),
    `plugins: [{ name: load, isolation: ${isolation}, config: ${JSON.stringify(load)}, ${limit} }]
settings: { delivery: { queueLimit: 1000000, durability: ${durability ?? 'process'} } }\n`,
  );
  writeFileSync(join(directory, 'event-mappings.yaml'), MAPPINGS);
  mkdirSync(join(directory, 'hooks'));
  writeFileSync(join(directory, 'hooks/hook.yaml'), durability === undefined ? HOOK : FIRING_HOOK);
  const { environment } = readEnvironment({ HOME: directory });
  const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
  let cpu = process.threadCpuUsage();
  const app = await startApp({
    version: 'bench',
    environment,
    configDirectory: directory,
    hooksDirectory: join(directory, 'hooks'),
    pluginsDirectory: join(import.meta.dirname, 'bundles'),
    dataDirectory: durability === null ? null : join(directory, 'data'),
    workDirectory: null,
    agent: durability === undefined ? { kind: 'embedded', port: 0 } : { kind: 'url', url: NOBODY },
    ports: { metrics: 0, health: 0, admin: 0 },
    listenAddress: '127.0.0.1',
    log: {
      level: 'info',
      format: 'json',
      destination: {
        write(line: string) {
          if (line.includes('Successfully started plugin')) cpu = process.threadCpuUsage();
          if (line.startsWith('{"level":"error"')) reject(new Error(`the host complained: ${line}`));
          if (!line.includes('"msg":"measured"')) return;
          const { fields } = JSON.parse(line) as { fields: Omit<LoadResult, 'hostMicros'> };
          const { user, system } = process.threadCpuUsage(cpu);
          resolve({ ...fields, hostMicros: user + system });
        },
      },
    },
  });
  const result = await promise;
  await app.stop('the measurement is over');
  rmSync(directory, { recursive: true, force: true });
  return result;
}
