/** Figures and times as sentences want them. Pure. */

const MIB = 1024 * 1024;

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / MIB)} MB`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How long ago, or how long until. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** `1 event`, `3 events`. */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
