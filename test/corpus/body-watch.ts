/** Reads the host's log for one body and says what became of it. Knows lines, not processes. */

import type { ExitReason } from '../../host/sandbox/exit.ts';
import type { LogLine } from '../support/running-host.ts';
import type { Outcome } from './body.ts';

export interface Attempt {
  readonly attempt: string;
  readonly outcome: string;
  readonly detail: string;
}

export class BodyWatch {
  readonly #name: string;
  readonly attempts: Attempt[] = [];
  /** Milliseconds of the harness' clock. */
  beganAt: number | null = null;
  startedAt: number | null = null;
  /** When the generation after the one that ended was started. */
  startedAgainAt: number | null = null;
  endedAt: number | null = null;
  /** What was said last before it is tried: names what killed the host. */
  lastTry = '';
  exit: { readonly outcome: Outcome; readonly at: number; readonly text: string } | null = null;
  isDisabled = false;

  constructor(name: string) {
    this.#name = name;
  }

  read(line: LogLine, at: number): void {
    if (line.plugin !== this.#name) return;
    if (line.name === `${this.#name}-plugin`) this.#readOwn(line, at);
    else this.#readHost(line, at);
  }

  get openAttempts(): Attempt[] {
    return this.attempts.filter(({ outcome }) => outcome === 'open');
  }

  #readOwn(line: LogLine, at: number): void {
    const fields = (line.fields ?? {}) as Partial<Attempt>;
    if (line.msg === 'begins') this.beganAt ??= at;
    else if (line.msg === 'ends') this.endedAt ??= at;
    else if (line.msg === 'tries') this.lastTry = fields.attempt ?? '';
    else if (line.msg === 'attempt') this.attempts.push(fields as Attempt);
  }

  #readHost({ msg, reason }: LogLine, at: number): void {
    const { exit } = this;
    const settle = (outcome: Outcome): void => {
      this.exit ??= { outcome, at, text: msg };
    };
    if (msg.startsWith('Starting plugin')) {
      this.startedAt ??= at;
      if (exit !== null) this.startedAgainAt ??= at;
    }
    if (/ is disabled by its configuration/.test(msg)) this.isDisabled = true;
    else if (/ is blocked \(/.test(msg)) settle('refused');
    else if (/^plugin \S+ failed/.test(msg))
      settle(reason === 'bad_config' ? 'refused' : `recycled:${reason as ExitReason}`);
    else if (/plugin \S+ stopped/.test(msg)) settle('stopped');
    if (exit === null && this.exit !== null) this.beganAt ??= this.startedAt;
  }
}
