/** Which dead letters a command is about, and the work on each: one after the other, the newest first, each with its own answer. */

import type { DeadLetterLabel, DeadLetterSnapshot } from '../http/view.ts';
import { flagText, type Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { HostClient, type HostRequest } from './host-client.ts';

export interface DeadLetterList {
  readonly total: number;
  readonly deadLetters: readonly DeadLetterSnapshot[];
}

export interface DeadLetterWork {
  /** `dead-letters retry` */
  readonly command: string;
  readonly method: HostRequest['method'];
  /** `id` is encoded. */
  readonly path: (id: string) => string;
  /** What is said of one: `sent again`. */
  readonly done: string;
}

/** The most that the host lists at once. */
const PAGE = '10000';

export function deadLetterQuery(invocation: Invocation, limit: string | null): URLSearchParams {
  const given = { limit, agent: flagText(invocation, 'agent'), hook: flagText(invocation, 'hook') };
  return new URLSearchParams(Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** Exits with OK when each of them is done. */
export async function workOnDeadLetters(invocation: Invocation, work: DeadLetterWork): Promise<ExitCode> {
  const fault = choiceFault(invocation);
  if (fault !== null) {
    invocation.stderr(`khook ${work.command}: ${fault}\n`);
    return EXIT_CODES.USAGE;
  }
  const run = new WorkRun(invocation, work);
  const isAll = invocation.flags.all === true;
  const code = isAll ? await run.all() : await run.each(invocation.positionals);
  if (code !== null) return code;
  run.report();
  return run.isDone ? EXIT_CODES.OK : EXIT_CODES.FAILED;
}

function choiceFault({ flags, positionals }: Invocation): string | null {
  const isFiltered = flags.agent !== undefined || flags.hook !== undefined;
  if (flags.all === true && positionals.length > 0) return 'name dead letters, or give --all, not both';
  if (flags.all !== true && isFiltered) return '--agent and --hook go with --all';
  if (flags.all !== true && positionals.length === 0)
    return "name dead letters by their ids ('khook dead-letters list' shows them), or give --all";
  return null;
}

class WorkRun {
  readonly #invocation: Invocation;
  readonly #work: DeadLetterWork;
  readonly #client: HostClient;
  readonly #tried = new Set<string>();
  readonly #done: string[] = [];
  readonly #refused: { readonly id: string; readonly error: string }[] = [];

  constructor(invocation: Invocation, work: DeadLetterWork) {
    this.#invocation = invocation;
    this.#work = work;
    this.#client = new HostClient(invocation, work.command);
  }

  get isDone(): boolean {
    return this.#refused.length === 0;
  }

  /** Returns why it could not go on, or null. */
  async each(ids: readonly string[]): Promise<ExitCode | null> {
    for (const id of ids) {
      this.#tried.add(id);
      const { method, path, done } = this.#work;
      const answer = await this.#client.ask<DeadLetterLabel>({ method, path: path(encodeURIComponent(id)) });
      if (answer.kind === 'unreachable') return answer.code;
      if (answer.kind === 'refused') {
        this.#refused.push({ id, error: answer.error });
        this.#invocation.stderr(`khook ${this.#work.command}: ${answer.error}\n`);
        continue;
      }
      this.#done.push(id);
      if (!this.#isJson) this.#invocation.stdout(`${done}: ${id} of ${answer.value.hook} for ${answer.value.agent}\n`);
    }
    return null;
  }

  /** Page after page, until one has none that was not tried. */
  async all(): Promise<ExitCode | null> {
    const path = `/api/v1/dead-letters?${deadLetterQuery(this.#invocation, PAGE)}`;
    for (;;) {
      const answer = await this.#client.ask<DeadLetterList>({ method: 'GET', path });
      if (answer.kind === 'unreachable') return answer.code;
      if (answer.kind === 'refused') {
        this.#invocation.stderr(`khook ${this.#work.command}: ${answer.error}\n`);
        return EXIT_CODES.FAILED;
      }
      const ids = answer.value.deadLetters.map(({ id }) => id).filter((id) => !this.#tried.has(id));
      if (ids.length === 0) return null;
      const code = await this.each(ids);
      if (code !== null) return code;
    }
  }

  report(): void {
    const [done, refused] = [this.#done, this.#refused];
    if (this.#isJson) this.#invocation.stdout(`${JSON.stringify({ done, refused }, null, 2)}\n`);
    else if (this.#tried.size === 0) this.#invocation.stdout('There are no such dead letters.\n');
    else if (this.#tried.size > 1)
      this.#invocation.stdout(`${done.length} ${this.#work.done}, ${refused.length} refused.\n`);
  }

  get #isJson(): boolean {
    return this.#invocation.flags.json === true;
  }
}
