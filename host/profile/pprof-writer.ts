/** Puts a profile of Google's pprof format together: strings, functions and locations once each, samples as they come. */

import { Line, Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import type { CallFrame } from './v8-profile.ts';

export interface Unit {
  readonly type: string;
  readonly unit: string;
}

export interface PprofOptions {
  /** Of each value of a sample, in order; the last is what pprof shows first. */
  readonly values: readonly Unit[];
  readonly period: { readonly of: Unit; readonly value: number } | null;
  /** Wall-clock milliseconds of the beginning. */
  readonly startedAt: number;
  readonly durationMs: number;
}

export class PprofWriter {
  readonly #strings = new StringTable();
  readonly #functions = new Map<string, PprofFunction>();
  readonly #locations = new Map<string, Location>();
  readonly #samples: Sample[] = [];
  readonly #options: PprofOptions;

  constructor(options: PprofOptions) {
    this.#options = options;
  }

  /** `stack`: the innermost first. */
  add(stack: readonly CallFrame[], values: readonly number[]): void {
    const locationId = stack.map((frame) => this.#location(frame).id);
    this.#samples.push(new Sample({ locationId, value: values.map(Math.round) }));
  }

  encode(): Uint8Array {
    const { values, period, startedAt, durationMs } = this.#options;
    return new Profile({
      sampleType: values.map((value) => this.#unit(value)),
      sample: this.#samples,
      location: [...this.#locations.values()],
      function: [...this.#functions.values()],
      timeNanos: BigInt(Math.round(startedAt)) * 1_000_000n,
      durationNanos: BigInt(Math.round(durationMs * 1e6)),
      ...(period === null ? {} : { periodType: this.#unit(period.of), period: Math.round(period.value) }),
      stringTable: this.#strings,
    }).encode();
  }

  #unit({ type, unit }: Unit): ValueType {
    return new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(unit) });
  }

  #location(frame: CallFrame): Location {
    const { functionName, url, lineNumber } = frame;
    const key = `${functionName}\0${url}\0${lineNumber}`;
    const known = this.#locations.get(key);
    if (known !== undefined) return known;
    const line = new Line({ functionId: this.#function(frame, key).id, line: Math.max(0, lineNumber + 1) });
    const location = new Location({ id: this.#locations.size + 1, line: [line] });
    this.#locations.set(key, location);
    return location;
  }

  #function({ functionName, url, lineNumber }: CallFrame, key: string): PprofFunction {
    const name = this.#strings.dedup(functionName === '' ? '(anonymous)' : functionName);
    const made = new PprofFunction({
      id: this.#functions.size + 1,
      name,
      systemName: name,
      filename: this.#strings.dedup(url.replace(/^file:\/\//, '')),
      startLine: Math.max(0, lineNumber + 1),
    });
    this.#functions.set(key, made);
    return made;
  }
}
