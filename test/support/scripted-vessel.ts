/** A vessel in memory that does what its script says: for tests of supervision, with a fake clock and without threads. */

import type { Exit } from '../../host/sandbox/exit.ts';
import { NO_VITAL_SIGNS, type Vessel, type VesselRequest } from '../../host/sandbox/vessel.ts';
import type { Clock, Timer } from '../../ipc/clock.ts';
import type { PluginControl } from '../../ipc/control.ts';
import { CodedError } from '../../ipc/errors.ts';
import type { ToPlugin } from '../../ipc/messages.ts';
import type { Remote } from '../../ipc/remote.ts';
import { NO_USES } from '../../ipc/uses.ts';

export type Answer =
  | { readonly kind: 'ok'; readonly value?: boolean | string | null; readonly afterMs?: number }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly afterMs?: number }
  | { readonly kind: 'never' };

export type Script = Partial<Record<keyof PluginControl, Answer>> & {
  /** How long it takes to end it by force. */
  readonly terminateMs?: number;
  /** Its thread stays after its end was reported, until `leave()`. */
  readonly lingers?: boolean;
};

export const OK: Answer = { kind: 'ok' };
export const NEVER: Answer = { kind: 'never' };

export function crashOf(detail = 'a bug'): Exit {
  return { reason: 'crash', detail, stack: '', code: 'PLUGIN_ERR_THROWN' };
}

export class ScriptedVessel implements Vessel {
  readonly request: VesselRequest;
  readonly generation: number;
  readonly control: Remote<PluginControl>;
  readonly vitals = NO_VITAL_SIGNS;
  readonly uses = NO_USES;
  readonly history = [];
  /** Everything that was asked of it, in order: methods, `credit`, `terminate`. */
  readonly asked: string[] = [];
  script: Script;
  isAlive = true;
  /** Runs after a call was answered, before whoever waits for it goes on. */
  onAnswer: (name: string) => void = () => undefined;
  readonly #clock: Clock;
  readonly #pending = new Set<(error: CodedError) => void>();
  readonly #gone: (() => void)[] = [];
  #ending: Exit | null = null;
  readonly #left = Promise.withResolvers<void>();

  profile(kind: string, ms: number): Promise<string> {
    this.asked.push(`profile ${kind} ${ms}`);
    return Promise.resolve('{}');
  }

  constructor(request: VesselRequest, options: { readonly clock: Clock; readonly script: Script }) {
    this.request = request;
    this.generation = request.birth.generation;
    this.script = options.script;
    this.#clock = options.clock;
    this.control = {
      call: (name, { deadlineMs }) => this.#call(name, deadlineMs) as Promise<never>,
      close: () => this.#reject(),
    };
  }

  post(message: ToPlugin): void {
    this.asked.push(message.kind);
  }

  async sample(): Promise<void> {}

  async terminate(why: Exit): Promise<void> {
    if (!this.isAlive) return;
    this.#ending ??= why;
    this.asked.push('terminate');
    const { terminateMs = 0 } = this.script;
    if (terminateMs === 0) await Promise.resolve();
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = this.#clock.after(terminateMs, resolve);
      this.#gone.push(() => {
        timer.cancel();
        resolve();
      });
      await promise;
    }
    this.#end(this.#ending);
  }

  get gone(): Promise<void> {
    return this.#left.promise;
  }

  /** Its thread ends at last. */
  leave(): void {
    this.#left.resolve();
  }

  /** It ends by itself. */
  crash(exit: Exit = crashOf()): void {
    this.#end(exit);
  }

  #end(exit: Exit): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#reject();
    if (this.script.lingers !== true) this.#left.resolve();
    for (const tell of this.#gone.splice(0)) tell();
    this.request.listener.exit(exit);
  }

  #reject(): void {
    for (const reject of [...this.#pending]) reject(new CodedError('IPC_ERR_CLOSED', 'it is gone'));
  }

  #call(name: keyof PluginControl, deadlineMs: number): Promise<unknown> {
    this.asked.push(name);
    const answer = this.script[name] ?? OK;
    return new Promise((resolve, reject) => {
      const timers: Timer[] = [];
      const settle = (finish: () => void): void => {
        for (const timer of timers) timer.cancel();
        this.#pending.delete(fail);
        finish();
      };
      const fail = (error: CodedError): void => settle(() => reject(error));
      const respond = (): void => {
        if (!this.#pending.has(fail)) return;
        if (answer.kind === 'ok') settle(() => resolve(answer.value ?? null));
        else if (answer.kind === 'error') fail(new CodedError(answer.code, answer.message, { kind: 'plugin' }));
        this.onAnswer(name);
      };
      if (!this.isAlive) {
        reject(new CodedError('IPC_ERR_CLOSED', 'it is gone'));
        return;
      }
      this.#pending.add(fail);
      timers.push(
        this.#clock.after(deadlineMs, () => fail(new CodedError('IPC_ERR_DEADLINE', `did not answer '${name}'`))),
      );
      if (answer.kind === 'never') return;
      if (answer.afterMs === undefined) queueMicrotask(respond);
      else timers.push(this.#clock.after(answer.afterMs, respond));
    });
  }
}

/** Opens scripted vessels and holds supervision against its first rule: at most one of a plugin lives. */
export class ScriptedHarbour {
  readonly vessels: ScriptedVessel[] = [];
  readonly violations: string[] = [];
  /** Of the vessels that are opened from now on. */
  script: Script = {};
  /** Thrown by the next `open`, once. */
  failure: Error | null = null;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly open = (request: VesselRequest): ScriptedVessel => {
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    const { plugin, generation } = request.birth;
    for (const other of this.alive) {
      if (other.request.birth.plugin !== plugin) continue;
      this.violations.push(`generation ${generation} of ${plugin} was opened while ${other.generation} lives`);
    }
    const vessel = new ScriptedVessel(request, { clock: this.#clock, script: this.script });
    this.vessels.push(vessel);
    return vessel;
  };

  get alive(): ScriptedVessel[] {
    return this.vessels.filter((vessel) => vessel.isAlive);
  }

  get last(): ScriptedVessel {
    const last = this.vessels.at(-1);
    if (last === undefined) throw new Error('no vessel was opened');
    return last;
  }
}
