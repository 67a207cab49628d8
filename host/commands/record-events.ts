/** Listens to a running host and writes what it tells, one line each, until it has enough. */

import { systemClock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { hostUrl } from './host-client.ts';
import { OutputWatch } from './output-watch.ts';
import { type RecordPlan, readRecordPlan } from './record-plan.ts';
import { serverSentEvents } from './server-sent.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const ALL = 1_000_000;

export async function recordEvents(invocation: Invocation): Promise<ExitCode> {
  const plan = readRecordPlan(invocation);
  if (typeof plan === 'string') {
    invocation.stderr(`khook record: ${plan}\n`);
    return EXIT_CODES.USAGE;
  }
  return new Recorder(invocation, plan).run();
}

type Ending =
  | { readonly kind: 'enough' }
  | { readonly kind: 'over' }
  | { readonly kind: 'bad'; readonly code: ExitCode };

class Recorder {
  readonly #invocation: Invocation;
  readonly #plan: RecordPlan;
  readonly #url: string;
  /** Aborted when there is enough, or nobody to write for. */
  readonly #enough = new AbortController();
  readonly #output = new OutputWatch();
  #events = 0;
  #missed = 0;

  constructor(invocation: Invocation, plan: RecordPlan) {
    this.#invocation = invocation;
    this.#plan = plan;
    this.#url = hostUrl(invocation);
  }

  async run(): Promise<ExitCode> {
    const { follow, last, forMs } = this.#plan;
    const stop = (): void => this.#enough.abort();
    // Whoever asks twice is not waited for: the second signal does what it always does.
    for (const name of SIGNALS) process.once(name, stop);
    this.#output.signal.addEventListener('abort', stop);
    if (forMs !== null) systemClock.after(forMs, stop);
    const ending = await this.#listen({ last, follow, inFlight: false }, this.#enough.signal);
    if (ending.kind === 'bad') return ending.code;
    for (const name of SIGNALS) process.off(name, stop);
    if (follow && ending.kind === 'over') {
      this.#say(`the host has ended the stream; ${this.#counts()}`);
      return EXIT_CODES.UNREACHABLE;
    }
    if (follow) await this.#writeInFlight();
    const { fault } = this.#output;
    this.#say(fault ?? this.#counts());
    return fault === null ? EXIT_CODES.OK : EXIT_CODES.FAILED;
  }

  /** What has fired and is on its way still would be missing otherwise, however long its agent works. */
  async #writeInFlight(): Promise<void> {
    if (this.#isFull || !this.#output.isOpen || this.#plan.outcomes.length > 0) return;
    await this.#listen({ last: ALL, follow: false, inFlight: true }, AbortSignal.timeout(5_000));
  }

  async #listen(
    what: { readonly last: number; readonly follow: boolean; readonly inFlight: boolean },
    signal: AbortSignal,
  ): Promise<Ending> {
    let response: Response;
    try {
      response = await fetch(`${this.#url}/api/v1/recording?${this.#query(what)}`, { signal });
    } catch (error) {
      if (signal.aborted) return { kind: 'enough' };
      const cause = messageOf((error as { cause?: unknown }).cause ?? error);
      this.#say(
        `no host answers at ${this.#url}: ${cause}\nStart one with 'khook run', or name its loopback port with --url.`,
      );
      return { kind: 'bad', code: EXIT_CODES.UNREACHABLE };
    }
    if (!response.ok || response.body === null) {
      this.#say(`the host refused: ${(await response.text()).slice(0, 1_000).trim()}`);
      return { kind: 'bad', code: EXIT_CODES.FAILED };
    }
    try {
      for await (const { name, data } of serverSentEvents(response.body)) {
        // By what events are judged is told again with them, and has been written.
        if (!(what.inFlight && name === 'config')) this.#write(name, data);
        if (this.#isFull) break;
      }
    } catch {
      // Aborted, or the connection broke: then the host is gone.
    }
    return { kind: signal.aborted || this.#isFull ? 'enough' : 'over' };
  }

  #write(name: string, data: string): void {
    if (name === 'event') this.#events += 1;
    if (name === 'missed') this.#missed += (JSON.parse(data) as { count: number }).count;
    if (this.#output.isOpen) this.#invocation.stdout(`${data}\n`);
  }

  get #isFull(): boolean {
    return this.#plan.limit !== null && this.#events >= this.#plan.limit;
  }

  #query(what: { readonly last: number; readonly follow: boolean; readonly inFlight: boolean }): string {
    const { plugins, outcomes, raw } = this.#plan;
    return new URLSearchParams({
      last: String(what.last),
      follow: String(what.follow),
      inFlight: String(what.inFlight),
      raw: String(raw),
      ...(plugins.length > 0 && { plugin: plugins.join(',') }),
      ...(outcomes.length > 0 && { outcome: outcomes.join(',') }),
    }).toString();
  }

  #counts(): string {
    const missed = this.#missed === 0 ? '' : `, ${this.#missed} missed: they came faster than they could be told`;
    return `${this.#events} ${this.#events === 1 ? 'event' : 'events'} recorded${missed}`;
  }

  #say(text: string): void {
    this.#invocation.stderr(`khook record: ${text}\n`);
  }
}
