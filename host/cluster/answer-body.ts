/** The body of an answer as text or as lines: each wait for data has a deadline, each size a bound. */

import type { Readable } from 'node:stream';
import type { Clock } from '../../ipc/clock.ts';

export interface BodyLimits {
  readonly clock: Clock;
  /** Longest wait for more. */
  readonly silenceMs: number;
}

/** The largest object etcd stores is 1.5 MiB; a line of a watch carries one. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024;
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Only waiting counts: a slow reader is not a silent server. Always destroys the stream. */
async function* chunksOf(body: Readable, { clock, silenceMs }: BodyLimits): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = clock.after(silenceMs, () => body.destroy(new Error(`no data came for ${silenceMs / 1_000} s`)));
      const next = await chunks.next().finally(() => timer.cancel());
      if (next.done === true) return;
      yield next.value as Buffer;
    }
  } finally {
    body.destroy();
  }
}

export async function readText(body: Readable, limits: BodyLimits): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(body, limits)) {
    length += chunk.length;
    if (length > MAX_TEXT_BYTES) throw new Error(`the answer is larger than ${MAX_TEXT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString('utf8');
}

/** Lines that are not empty. A last one without its line feed was cut off, and is dropped. */
export async function* linesOf(body: Readable, limits: BodyLimits): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunksOf(body, limits)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH)
      throw new Error(`a line of the watch is longer than ${MAX_LINE_LENGTH} characters`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}
