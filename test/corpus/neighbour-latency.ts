/** What the neighbour's log lines say about the time from emit to ack. */

export interface Ack {
  /** Unix milliseconds of the acknowledgement. */
  readonly at: number;
  readonly ms: number;
}

export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The longest time without any acknowledgement. */
  readonly gapMs: number;
}

const MAX_ACKS = 100_000;

export class NeighbourLatency {
  #acks: Ack[] = [];

  /** `text` is the field `acks` of the neighbour's line. */
  take(text: string): void {
    for (const item of text.split(' ')) {
      const [at = Number.NaN, ms = Number.NaN] = item.split(':').map(Number);
      if (Number.isFinite(at) && Number.isFinite(ms)) this.#acks.push({ at, ms });
    }
    if (this.#acks.length > MAX_ACKS) this.#acks = this.#acks.slice(-MAX_ACKS / 2);
  }

  /** Unix milliseconds; 0 when there was none. */
  get lastAt(): number {
    return this.#acks.at(-1)?.at ?? 0;
  }

  between(from: number, to: number): Latency {
    const acks = this.#acks.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
    const sorted = acks.map(({ ms }) => ms).sort((a, b) => a - b);
    const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
    let gapMs = 0;
    let last = from;
    for (const { at } of [...acks, { at: to }]) {
      gapMs = Math.max(gapMs, at - last);
      last = at;
    }
    return { count: acks.length, p50Ms: quantile(0.5), p99Ms: quantile(0.99), gapMs };
  }
}
