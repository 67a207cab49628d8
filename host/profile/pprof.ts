/** V8's profiles in the pprof format that `go tool pprof` and its kin read. Pure; runs in a thread of its own, for V8's text may be large or hostile. */

import { PprofWriter } from './pprof-writer.ts';
import type { CallFrame, CpuNode, HeapNode, V8CpuProfile, V8HeapProfile } from './v8-profile.ts';

/** A thread that sleeps uses no CPU. */
const IDLE = '(idle)';
/** V8's root, which every stack has. */
const ROOT = '(root)';

export function cpuPprof(
  { nodes, samples, timeDeltas, startTime, endTime }: V8CpuProfile,
  startedAt: number,
): Uint8Array {
  const durationMs = (endTime - startTime) / 1_000;
  const periodNs = samples.length === 0 ? 0 : (durationMs * 1e6) / samples.length;
  const cpu = { type: 'cpu', unit: 'nanoseconds' };
  const writer = new PprofWriter({
    values: [{ type: 'samples', unit: 'count' }, cpu],
    period: { of: cpu, value: periodNs },
    startedAt,
    durationMs,
  });
  const totals = new Map<number, { count: number; micros: number }>();
  for (const [at, id] of samples.entries()) {
    const total = totals.get(id) ?? { count: 0, micros: 0 };
    total.count += 1;
    total.micros += Math.max(0, timeDeltas[at] ?? 0);
    totals.set(id, total);
  }
  const parents = parentsOf(nodes);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const [id, { count, micros }] of totals) {
    const stack = stackOf(id, byId, parents);
    if (stack[0]?.functionName === IDLE) continue;
    writer.add(stack, [count, micros * 1_000]);
  }
  return writer.encode();
}

export function heapPprof({ head }: V8HeapProfile, startedAt: number, durationMs: number): Uint8Array {
  const writer = new PprofWriter({
    values: [{ type: 'inuse_space', unit: 'bytes' }],
    period: null,
    startedAt,
    durationMs,
  });
  const waiting: { readonly node: HeapNode; readonly above: readonly CallFrame[] }[] = [{ node: head, above: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, above } = next;
    const stack = node.callFrame.functionName === ROOT ? above : [node.callFrame, ...above];
    if (node.selfSize > 0) writer.add(stack, [node.selfSize]);
    for (const child of node.children) waiting.push({ node: child, above: stack });
  }
  return writer.encode();
}

function parentsOf(nodes: readonly CpuNode[]): ReadonlyMap<number, number> {
  return new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child): [number, number] => [child, id])));
}

function stackOf(
  top: number,
  byId: ReadonlyMap<number, CpuNode>,
  parents: ReadonlyMap<number, number>,
): readonly CallFrame[] {
  const stack: CallFrame[] = [];
  // No deeper than there are nodes: what a plugin wrote may go in a circle.
  for (let id: number | undefined = top; id !== undefined && stack.length <= byId.size; id = parents.get(id)) {
    const frame = byId.get(id)?.callFrame;
    if (frame !== undefined && frame.functionName !== ROOT) stack.push(frame);
  }
  return stack;
}
