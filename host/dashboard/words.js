/** Figures and times as people read them. Pure. */

const BYTES = ['B', 'kB', 'MB', 'GB'];

/** As limits are counted: one MB of `memoryMb` has 1024 kB. */
export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < BYTES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${BYTES[unit]}`;
}

export function whole(count) {
  return Math.round(count).toLocaleString('en');
}

export function rate(perSecond) {
  return perSecond >= 10 || perSecond === 0 ? whole(perSecond) : perSecond.toFixed(1);
}

export function percent(share) {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}

/** `10:42:03`, by the clock of whoever looks. */
export function clock(time) {
  return new Date(time).toLocaleTimeString('en-GB');
}

/** How long ago, on the host's own clock: `now` is its word. */
export function ago(time, now) {
  if (time === null) return 'never';
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(time)) / 1000));
  return `${span(seconds)} ago`;
}

export function until(time, now) {
  return `in ${span(Math.max(0, Math.round((Date.parse(time) - Date.parse(now)) / 1000)))}`;
}

export function span(seconds) {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** `crash 2, leak 1` */
export function counts(record) {
  const parts = Object.entries(record).map(([name, count]) => `${name.replaceAll('_', ' ')} ${count}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
