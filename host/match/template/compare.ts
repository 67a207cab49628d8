/** Go's eq and lt. Numbers compare with numbers whether whole or not; any other mixture is an error, as in Go. */

import type { Meter } from './meter.ts';
import { isNothing, typeName } from './value.ts';

export function isEqual(left: unknown, right: unknown, meter: Meter): boolean {
  if (isNothing(left) || isNothing(right)) return isNothing(left) && isNothing(right);
  refuseObjects(left, right, meter);
  if (typeof left !== typeof right) return incompatible(left, right, meter);
  if (typeof left === 'string') meter.spendText(left.length / 16);
  return left === right;
}

/** Negative, 0 or positive. */
export function order(left: unknown, right: unknown, meter: Meter): number {
  if (isNothing(left) || isNothing(right)) meter.fail('cannot order a value that is not there');
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left !== 'string' || typeof right !== 'string') return incompatible(left, right, meter);
  meter.spendText(left.length / 16);
  return left < right ? -1 : left > right ? 1 : 0;
}

function refuseObjects(left: unknown, right: unknown, meter: Meter): void {
  if (typeof left === 'object' || typeof right === 'object') {
    meter.fail(`cannot compare ${typeName(left)} with ${typeName(right)}`);
  }
}

function incompatible(left: unknown, right: unknown, meter: Meter): never {
  return meter.fail(`cannot compare ${typeName(left)} with ${typeName(right)}`);
}
