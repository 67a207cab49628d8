/** A Hook's status as it stands in the cluster, whoever wrote it: what khook cannot use is left out, nothing of it is an error. */

import { type HookStatus, hookStatusSchema } from '../config/hook-status.ts';

const { activeEvents, conditions, ...plain } = hookStatusSchema.shape;
const entry = activeEvents.unwrap().element;
const condition = conditions.unwrap().element;

export function readHookStatus(written: unknown): HookStatus {
  if (typeof written !== 'object' || written === null) return {};
  const fields = written as Readonly<Record<string, unknown>>;
  const status: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(plain)) {
    const read = schema.safeParse(fields[name]);
    if (read.success && read.data !== undefined) status[name] = read.data;
  }
  return {
    ...status,
    ...(Array.isArray(fields.conditions) && { conditions: usable(fields.conditions, condition) }),
    ...(Array.isArray(fields.activeEvents) && { activeEvents: usable(fields.activeEvents, entry) }),
  };
}

function usable<Value>(
  items: readonly unknown[],
  schema: { safeParse(item: unknown): { success: true; data: Value } | { success: false } },
): Value[] {
  return items.flatMap((item) => {
    const read = schema.safeParse(item);
    return read.success ? [read.data] : [];
  });
}
