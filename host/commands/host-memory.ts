/** What a running host remembers of its events, and by what it judges them: read from `GET /api/v1/recording`, secrets taken out. */

import { messageOf } from '../../ipc/errors.ts';
import { type HostMemory, inOrder } from '../replay/judged-memory.ts';
import type { ConfigRead, EventRead } from '../replay/recording-line.ts';
import { readRecordingLine } from '../replay/recording-line.ts';
import type { EventChoice } from './explain-plan.ts';
import { serverSentEvents } from './server-sent.ts';

export interface MemoryQuery extends EventChoice {
  /** Only this one is kept; absent: all. */
  readonly id?: string;
}

/** Rejects with what is wrong, in words. */
export async function readHostMemory(url: string, query: MemoryQuery): Promise<HostMemory> {
  const settled = await readOnce(url, query, false);
  // What is on its way has no outcome to be asked for.
  const inFlight = query.outcomes.length > 0 ? [] : (await readOnce(url, query, true)).events;
  return { config: settled.config, events: inOrder([...inFlight, ...settled.events], query.last) };
}

async function readOnce(
  url: string,
  { last, plugins, outcomes, id }: MemoryQuery,
  inFlight: boolean,
): Promise<HostMemory> {
  const search = new URLSearchParams({
    last: String(last),
    inFlight: String(inFlight),
    ...(plugins.length > 0 && { plugin: plugins.join(',') }),
    ...(outcomes.length > 0 && { outcome: outcomes.join(',') }),
  });
  const response = await fetch(`${url}/api/v1/recording?${search}`);
  if (!response.ok || response.body === null)
    throw new Error(`the host refused: ${(await response.text()).slice(0, 1_000).trim()}`);
  let config: ConfigRead | null = null;
  const events: EventRead[] = [];
  try {
    for await (const { name, data } of serverSentEvents(response.body)) {
      if (name === 'event' && id !== undefined && !data.includes(JSON.stringify(id))) continue;
      const read = readRecordingLine(data);
      if (typeof read === 'string') throw new Error(`it told what this khook cannot read: ${read}`);
      if (read.kind === 'config') config = read;
      if (read.kind === 'event' && (id === undefined || read.id === id)) events.push(read);
    }
  } catch (error) {
    throw new Error(`the host at ${url} could not be heard to the end: ${messageOf(error)}`);
  }
  if (config === null)
    throw new Error(`${url} did not say by what it judges events; name khook's loopback port with --url`);
  return { config, events };
}
