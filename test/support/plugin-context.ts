/** A PluginContext for tests of a plugin in process: takes events as the host would, and lets the test withhold credit and acks. */

import { CodedError } from '../../ipc/errors.ts';
import { MAX_EVENT_BYTES } from '../../ipc/event.ts';
import type {
  KubernetesConnection,
  PluginContext,
  PluginEvent,
  PluginLog,
  PluginMetrics,
  Receipt,
} from '../../ipc/plugin-api.ts';

export interface LogLine {
  readonly level: keyof PluginLog;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export interface MetricRecord {
  readonly name: string;
  readonly value: number;
  readonly labels: Record<string, string>;
}

export class TestPluginContext implements PluginContext {
  readonly name: string;
  readonly debug = true;
  readonly lines: LogLine[] = [];
  readonly metricRecords: MetricRecord[] = [];
  /** What was taken, in order, as the host would read it (after JSON). */
  readonly events: PluginEvent[] = [];
  kubernetes: KubernetesConnection | null = null;
  /** What the host does when it is asked for new credentials. */
  onRenew: () => void = () => {};
  renewals = 0;
  readonly #abort = new AbortController();
  #hasCredit = true;
  #isHolding = false;
  #isDraining = false;
  #refusal: CodedError | null = null;
  #forCredit: (() => void)[] = [];
  #forAck: (() => void)[] = [];
  #ordinal = 0;

  constructor(name: string) {
    this.name = name;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly log: PluginLog = {
    debug: (message, fields = {}) => this.#write('debug', message, fields),
    info: (message, fields = {}) => this.#write('info', message, fields),
    warn: (message, fields = {}) => this.#write('warn', message, fields),
    error: (message, fields = {}) => this.#write('error', message, fields),
  };

  readonly metrics: PluginMetrics = {
    counter: ({ name }) => ({ inc: (value = 1, labels = {}) => this.metricRecords.push({ name, value, labels }) }),
    gauge: ({ name }) => ({ set: (value, labels = {}) => this.metricRecords.push({ name, value, labels }) }),
    histogram: ({ name }) => ({ observe: (value, labels = {}) => this.metricRecords.push({ name, value, labels }) }),
  };

  async renewKubernetes(): Promise<void> {
    this.renewals += 1;
    this.onRenew();
  }

  emit(event: PluginEvent): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const text = this.#check(event);
      const run = (): void => {
        this.#take(text).then(resolve, reject);
      };
      if (this.#hasCredit && this.#forCredit.length === 0) run();
      else this.#forCredit.push(run);
    });
  }

  tryEmit(event: PluginEvent): Promise<Receipt> | null {
    if (!this.#isDraining && (!this.#hasCredit || this.#forCredit.length > 0)) return null;
    return this.emit(event);
  }

  async emitMany(events: Iterable<PluginEvent>): Promise<Receipt[]> {
    const answers = await Promise.allSettled(Array.from(events, (event) => this.emit(event)));
    return answers.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    });
  }

  /** Log lines with this message, oldest first. */
  logged(message: string): LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }

  withholdCredit(): void {
    this.#hasCredit = false;
  }

  grantCredit(): void {
    this.#hasCredit = true;
    for (const run of this.#forCredit.splice(0)) run();
  }

  /** Events are taken from now on, but not acknowledged. */
  holdAcks(): void {
    this.#isHolding = true;
  }

  releaseAcks(): void {
    this.#isHolding = false;
    for (const run of this.#forAck.splice(0)) run();
  }

  /** What the pipeline says to every event from now on; null = accepts. */
  refuseWith(error: CodedError | null): void {
    this.#refusal = error;
  }

  /** What the host does before it calls the plugin's `stop`: the signal aborts, new events are refused, taken ones are still answered. */
  drain(): void {
    this.#isDraining = true;
    this.#abort.abort(stopping());
  }

  #check(event: PluginEvent): string {
    if (this.#isDraining) throw stopping();
    let text: string;
    try {
      text = JSON.stringify(event);
    } catch (cause) {
      throw new CodedError('EVENT_ERR_NOT_SERIALISABLE', 'the event cannot be written as JSON', { cause });
    }
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_EVENT_BYTES) {
      throw new CodedError(
        'EVENT_ERR_TOO_LARGE',
        `the event is ${bytes} bytes as JSON, the limit is ${MAX_EVENT_BYTES}`,
      );
    }
    return text;
  }

  async #take(text: string): Promise<Receipt> {
    const event = JSON.parse(text) as PluginEvent;
    this.events.push(event);
    const id = `${this.name}-1-${this.#ordinal}`;
    this.#ordinal += 1;
    const refusal = this.#refusal ?? faultOf(event);
    if (this.#isHolding) {
      await new Promise<void>((resolve) => this.#forAck.push(resolve));
    }
    if (refusal !== null) throw refusal;
    return { id };
  }

  #write(level: keyof PluginLog, message: string, fields: Record<string, unknown>): void {
    this.lines.push({ level, message, fields });
  }
}

function faultOf(event: PluginEvent): CodedError | null {
  for (const key of ['type', 'resourceName', 'message'] as const) {
    if (typeof event[key] !== 'string' || event[key] === '') {
      return new CodedError('EVENT_ERR_INVALID', `${key} cannot be empty`, { kind: 'plugin' });
    }
  }
  return null;
}

function stopping(): CodedError {
  return new CodedError('EVENT_ERR_STOPPING', 'the plugin is stopping; the event was not taken');
}
