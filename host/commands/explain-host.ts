/** Asks a running host what it remembers, judges that again by what is in force, and explains it. Nothing runs in the host for it. */

import { messageOf } from '../../ipc/errors.ts';
import { hookId } from '../config/hook.ts';
import type { EventSnapshot, HookSnapshot, TrailStep } from '../http/view.ts';
import { explainHook, explainNoHook } from '../replay/explain-hook.ts';
import { type ExplainScene, type HostMemory, hooksOf, type JudgedEvent, judgeMemory } from '../replay/judged-memory.ts';
import type { Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { explainEvent } from './explain-event.ts';
import { type EventChoice, type ExplainPlan, readExplainPlan } from './explain-plan.ts';
import { explainedEventText, explainedHookText, trailText } from './explain-text.ts';
import { HostClient, hostUrl } from './host-client.ts';
import { readHostMemory } from './host-memory.ts';
import { OutputWatch } from './output-watch.ts';

const ALL = 1_000_000;

export async function explainHost(invocation: Invocation): Promise<ExitCode> {
  const plan = readExplainPlan(invocation);
  if (typeof plan === 'string') {
    invocation.stderr(`khook explain: ${plan}\nRun 'khook explain --help' for its usage.\n`);
    return EXIT_CODES.USAGE;
  }
  return new Explainer(invocation).run(plan);
}

class Explainer {
  readonly #invocation: Invocation;
  readonly #client: HostClient;
  readonly #url: string;
  /** `khook explain --last 1000 | head` is no error. */
  readonly #output = new OutputWatch();

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
    this.#client = new HostClient(invocation, 'explain');
    this.#url = hostUrl(invocation);
  }

  async run(plan: ExplainPlan): Promise<ExitCode> {
    const code = await this.#run(plan);
    const { fault } = this.#output;
    return fault === null ? code : this.#fail(fault);
  }

  #run(plan: ExplainPlan): Promise<ExitCode> {
    switch (plan.kind) {
      case 'event':
        return this.#event(plan.id);
      case 'events':
        return this.#events(plan.choice);
      case 'hook':
        return this.#hook(plan.hook, plan.choice);
    }
  }

  async #event(id: string): Promise<ExitCode> {
    const path = `/api/v1/events/${encodeURIComponent(id)}`;
    const answer = await this.#client.ask<EventSnapshot>({ method: 'GET', path });
    if (answer.kind === 'unreachable') return answer.code;
    if (answer.kind === 'refused') {
      const hint = 'See what is remembered with khook explain --last 20; settings.trail says how much that is.';
      return this.#fail(answer.status === 404 ? `${answer.error}\n${hint}` : answer.error);
    }
    const { trail } = answer.value;
    return this.#remembering({ last: ALL, plugins: [], outcomes: [], id }, async (memory) => {
      const found = await judgeMemory(memory);
      const [first] = found.events;
      if (first === undefined) this.#print(answer.value, trailText(answer.value));
      else this.#explain(first, found.scene, trail);
      return EXIT_CODES.OK;
    });
  }

  async #events(choice: EventChoice): Promise<ExitCode> {
    const answer = await this.#client.ask<unknown>({ method: 'GET', path: '/api/v1/hooks' });
    if (answer.kind === 'unreachable') return answer.code;
    return this.#remembering(choice, async (memory) => {
      const { events, scene } = await judgeMemory(memory);
      for (const each of events) this.#explain(each, scene, []);
      if (events.length === 0) this.#invocation.stderr('khook explain: no such event is remembered\n');
      return EXIT_CODES.OK;
    });
  }

  async #hook(wanted: string, choice: EventChoice): Promise<ExitCode> {
    const answer = await this.#client.ask<{ hooks: readonly HookSnapshot[] }>({ method: 'GET', path: '/api/v1/hooks' });
    if (answer.kind === 'unreachable') return answer.code;
    if (answer.kind === 'refused') return this.#fail(answer.error);
    return this.#remembering(choice, async (memory) => {
      const hooks = hooksOf(memory);
      const hook = hooks.find((each) => hookId(each) === wanted);
      if (hook === undefined) {
        const explained = explainNoHook(wanted, hooks);
        this.#print(explained, explainedHookText(explained));
        return EXIT_CODES.FAILED;
      }
      const { events, scene } = await judgeMemory(memory);
      const snapshot = answer.value.hooks.find((each) => hookId(each) === wanted) ?? null;
      const explained = explainHook(hook, events, { scene, plugins: memory.config.plugins, snapshot });
      this.#print(explained, explainedHookText(explained));
      return EXIT_CODES.OK;
    });
  }

  async #remembering(
    query: EventChoice & { readonly id?: string },
    then: (memory: HostMemory) => Promise<ExitCode>,
  ): Promise<ExitCode> {
    let memory: HostMemory;
    try {
      memory = await readHostMemory(this.#url, query);
    } catch (error) {
      this.#fail(messageOf(error));
      return EXIT_CODES.FAILED;
    }
    return then(memory);
  }

  #explain({ event, judged }: JudgedEvent, scene: ExplainScene, trail: readonly TrailStep[]): void {
    const explained = explainEvent(event, judged, { scene, trail });
    this.#print(explained, explainedEventText(explained));
  }

  #print(value: unknown, text: string): void {
    if (!this.#output.isOpen) return;
    this.#invocation.stdout(this.#invocation.flags.json === true ? `${JSON.stringify(value)}\n` : text);
  }

  #fail(text: string): ExitCode {
    this.#invocation.stderr(`khook explain: ${text}\n`);
    return EXIT_CODES.FAILED;
  }
}
