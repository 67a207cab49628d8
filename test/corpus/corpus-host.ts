/** One real host with a healthy neighbour in it, through which bodies pass by hot reload of plugins.yaml. */

import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, familyOf, residentBytes, threadNames } from '../support/process-stats.ts';
import { type LogLine, RunningHost } from '../support/running-host.ts';
import { BODIES } from './bodies.ts';
import type { Body, Place, Tier } from './body.ts';
import { BodyWatch } from './body-watch.ts';
import { pluginEntry, writeBundle } from './bundle-files.ts';
import { type Latency, NeighbourLatency } from './neighbour-latency.ts';
import { openSurroundings, type Surroundings } from './surroundings.ts';

const POLL_MS = 15;
const START_MS = 15_000;
const NEIGHBOUR = '  - { name: neighbour, limits: { memoryMb: 128 } }';
/** Of every body as well: what it emits is decoded like any other event. */
const MAPPINGS = JSON.stringify({
  mappings: [
    { eventSource: 'neighbour', eventType: 'measured', internalType: 'Measured' },
    ...BODIES.map(({ name }) => ({ eventSource: name, eventType: 'happened', internalType: 'Measured' })),
  ],
});
/** Of another namespace: each event is decoded and looked up, and none fires. */
const HOOK =
  'apiVersion: kagent.dev/v1alpha2\nkind: Hook\nmetadata: { name: elsewhere, namespace: elsewhere }\nspec: { eventConfigurations: [{ eventType: Measured, agentRef: { name: a }, prompt: p }] }\n';

export class CorpusHost {
  readonly tier: Tier;
  readonly #surroundings: Surroundings;
  #host: RunningHost;
  #close: (() => unknown)[];
  #pid = 0;
  #deaths: string[] = [];
  #neighbour = new NeighbourLatency();
  #neighbourEnds: string[] = [];
  readonly #watches = new Map<string, BodyWatch>();
  /** Bundles in the plugin folder. */
  #bundles = new Set<string>();
  /** The largest resident size of the host and its children since it was reset. */
  peakBytes = 0;

  private constructor(tier: Tier, started: Started) {
    this.tier = tier;
    this.#surroundings = started.surroundings;
    this.#host = started.host;
    this.#close = started.close;
  }

  static async start(t: Pick<TestContext, 'after'>, tier: Tier): Promise<CorpusHost> {
    const surroundings = await openSurroundings(t);
    const corpus = new CorpusHost(tier, { surroundings, ...(await startHost()) });
    t.after(() => corpus.#end());
    await corpus.#settle();
    return corpus;
  }

  get pid(): number {
    return this.#pid;
  }

  /** What the keeper said, each time the host process itself died. */
  get deaths(): readonly string[] {
    return this.#deaths;
  }

  get neighbour(): { readonly latency: NeighbourLatency; readonly ends: readonly string[] } {
    return { latency: this.#neighbour, ends: this.#neighbourEnds };
  }

  get residentBytes(): number {
    return familyOf(this.#pid).reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** Milliseconds in which nothing is changed: what the neighbour feels as things are. */
  async feel(ms: number): Promise<Latency> {
    const from = Date.now();
    // The neighbour speaks four times a second.
    await this.until(() => false, ms + 400);
    return this.#neighbour.between(from, from + ms);
  }

  /** Puts these bodies, and no others, into plugins.yaml. What is left out is removed with its bundle. */
  put(bodies: readonly (readonly [body: Body, enabled: boolean])[]): BodyWatch[] {
    const names = new Set(bodies.map(([{ name }]) => name));
    const entries = bodies.map(([body, enabled]) => {
      const directory = join(this.#host.directory, 'plugins', body.name);
      if (!this.#bundles.has(body.name)) writeBundle(directory, body, this.#place);
      return `  - ${pluginEntry(body, { place: this.#place, tier: this.tier, enabled })}`;
    });
    for (const name of this.#bundles) {
      if (!names.has(name)) rmSync(join(this.#host.directory, 'plugins', name), { recursive: true, force: true });
    }
    this.#bundles = names;
    // Renamed into its place: half a file would be another configuration.
    this.#host.write('plugins.yaml', pluginsYaml([NEIGHBOUR, ...entries]));
    renameSync(join(this.#host.directory, 'plugins.yaml'), join(this.#host.directory, 'config/plugins.yaml'));
    return [...names].map((name) => this.#watches.get(name) ?? this.#watchOver(name));
  }

  /** Forgets what was seen of a body. */
  forget(name: string): void {
    this.#watches.delete(name);
  }

  /** Follows the log, the host's life and its memory until something is so; false when it was not. */
  async until(check: () => boolean, ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    for (;;) {
      this.#follow();
      this.peakBytes = Math.max(this.peakBytes, this.residentBytes);
      if (check()) return true;
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
  }

  /** A thread of one of these plugins, or a process of any, still exists. */
  isLeftOf(plugins: readonly string[]): boolean {
    if (childrenOf(this.#pid).length > 0) return true;
    const names = threadNames(this.#pid);
    return plugins.some((plugin) => names.some((name) => isThreadOf(name, plugin)));
  }

  async answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.#host.health}/healthz`, { signal: AbortSignal.timeout(3_000) })).ok;
    } catch {
      return false;
    }
  }

  async json<T>(path: string): Promise<T> {
    return this.#host.json<T>(path);
  }

  /** A fresh host in place of one that is unwell. */
  async replace(): Promise<void> {
    await this.#end();
    const { host, close } = await startHost();
    this.#host = host;
    this.#close = close;
    this.#deaths = [];
    this.#bundles.clear();
    this.#watches.clear();
    this.#neighbour = new NeighbourLatency();
    await this.#settle();
  }

  get #place(): Place {
    const port = (url: string): number => Number(new URL(url).port);
    return { ...this.#surroundings, metricsPort: port(this.#host.metrics), adminPort: port(this.#host.admin) };
  }

  #watchOver(name: string): BodyWatch {
    const watch = new BodyWatch(name);
    this.#watches.set(name, watch);
    return watch;
  }

  #follow(): void {
    const now = performance.now();
    for (const text of this.#host.lines.splice(0)) {
      const line = readLine(text);
      if (line === null) continue;
      if (line.name === 'keeper') this.#hostDied(line.msg);
      else if (line.msg.startsWith('Metrics and read API on')) this.#moveTo(line);
      else if (line.plugin === 'neighbour') this.#hearNeighbour(line);
      else if (line.plugin !== undefined) this.#watches.get(line.plugin)?.read(line, now);
    }
    if (this.#host.stderr.length > 1_000_000) this.#host.stderr = '';
  }

  #hearNeighbour({ name, msg, fields }: LogLine): void {
    if (name !== 'neighbour-plugin') {
      if (/^plugin neighbour (failed|stopped)/.test(msg)) this.#neighbourEnds.push(msg);
    } else if (msg === 'acks') this.#neighbour.take((fields as { acks?: string }).acks ?? '');
  }

  /** What took it is switched off before it is back. */
  #hostDied(why: string): void {
    const lastWords = this.#host.stderr.split('\n').filter(Boolean).slice(0, 3).join(' · ');
    this.#host.stderr = '';
    this.#deaths.push(lastWords === '' ? why : `${why} (${lastWords.slice(0, 500)})`);
    this.put([]);
  }

  #moveTo({ metrics, health, admin }: LogLine): void {
    this.#host.metrics = `http://127.0.0.1:${metrics}`;
    this.#host.health = `http://127.0.0.1:${health}`;
    this.#host.admin = `http://127.0.0.1:${admin}`;
    this.#pid = childrenOf(this.#host.pid)[0] ?? 0;
    for (const watch of this.#watches.values()) watch.isDisabled = true;
  }

  async #settle(): Promise<void> {
    this.#pid = childrenOf(this.#host.pid)[0] ?? 0;
    const isHeard = await this.until(() => this.#neighbour.lastAt > 0, START_MS);
    if (!isHeard) throw new Error(`the neighbour never spoke:\n${this.#host.text}`);
  }

  async #end(): Promise<void> {
    // A host whose thread cannot be ended hears nothing but this; the keeper first, so that it brings nothing back.
    for (const pid of familyOf(this.#host.pid)) kill(pid);
    for (const close of this.#close.splice(0).reverse()) await close();
  }
}

interface Started {
  readonly surroundings: Surroundings;
  readonly host: RunningHost;
  readonly close: (() => unknown)[];
}

async function startHost(): Promise<Omit<Started, 'surroundings'>> {
  const close: (() => unknown)[] = [];
  const host = await RunningHost.start(
    { after: (deed) => void close.push(deed as () => unknown) },
    {
      plugins: pluginsYaml([NEIGHBOUR]),
      mappings: MAPPINGS,
      hooks: { 'elsewhere.yaml': HOOK },
      bundles: { neighbour: 'test/corpus/neighbour' },
      env: { CORPUS_SECRET: 'nobody was granted this' },
    },
  );
  return { host, close };
}

function pluginsYaml(entries: readonly string[]): string {
  return `settings: { healthCheckInterval: 500ms, maxPlugins: 20 }\nplugins:\n${entries.join('\n')}\n`;
}

/** The host gives a thread the beginning of its plugin's name, and an end that makes it unique; 15 characters together. */
function isThreadOf(thread: string, plugin: string): boolean {
  const [, beginning] = /^(.+)-[0-9a-z]{1,4}$/.exec(thread) ?? [];
  if (beginning === undefined) return false;
  return beginning === plugin || (thread.length === 15 && plugin.startsWith(beginning));
}

function readLine(text: string): LogLine | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return null;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone.
  }
}
