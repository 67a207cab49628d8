/** What a Lease of coordination.k8s.io/v1 says, read from and written into the object that the API server keeps. Pure. */

export interface LeaseRecord {
  /** Empty: nobody's, as after a release. */
  readonly holder: string;
  /** What the holder promises to renew it within; null when it says nothing that can be used. */
  readonly durationMs: number | null;
  /** Of the holder's clock: compared with what it was before, never with a clock. */
  readonly renewTime: string;
  readonly acquireTime: string;
  /** How often the holder changed. */
  readonly transitions: number;
}

/** The object as it was read: what khook does not know in it is written back as it was. */
export interface LeaseObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly [key: string]: unknown;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** Longest that another's promise is believed: a lease that somebody edited must not be out of reach for ever. */
const MAX_DURATION_MS = 10 * 60_000;
const MAX_TEXT = 300;

/** Whatever stands there, also by hand. */
export function readRecord({ spec = {} }: Pick<LeaseObject, 'spec'>): LeaseRecord {
  const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : '');
  const { holderIdentity, leaseDurationSeconds: seconds, renewTime, acquireTime, leaseTransitions } = spec;
  const isDuration = typeof seconds === 'number' && seconds > 0;
  return {
    holder: text(holderIdentity),
    durationMs: isDuration ? Math.min(seconds * 1_000, MAX_DURATION_MS) : null,
    renewTime: text(renewTime),
    acquireTime: text(acquireTime),
    transitions: Number.isSafeInteger(leaseTransitions) ? Math.max(0, leaseTransitions as number) : 0,
  };
}

/** `before`: the object to change, or a new one. */
export function writeRecord(before: LeaseObject, record: LeaseRecord): LeaseObject {
  const spec = {
    ...before.spec,
    holderIdentity: record.holder,
    leaseDurationSeconds: Math.max(1, Math.round((record.durationMs ?? 0) / 1_000)),
    renewTime: record.renewTime,
    acquireTime: record.acquireTime,
    leaseTransitions: record.transitions,
  };
  return { ...before, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec };
}

/** metav1.MicroTime has six digits. `wall`: milliseconds since the Unix epoch. */
export function microTime(wall: number): string {
  return new Date(wall).toISOString().replace('Z', '000Z');
}
