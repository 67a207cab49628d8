// Runs in the plugin thread.
/** The body of an answer as chunks, lines or text: each wait for data has a deadline, each size a bound. */

import type { Readable } from 'node:stream';

/** A line of a watch carries one object: 1.5 MiB where it is stored, and its JSON is longer by what has to be escaped. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/** Fails when nothing comes for `silenceMs`. Only waiting counts: a slow reader is not a silent server. Always destroys the stream. */
async function* chunksOf(stream: Readable, silenceMs: number): AsyncGenerator<Buffer> {
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => {
        stream.destroy(new Error(`no data came for ${silenceMs / 1_000} s`));
      }, silenceMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value as Buffer;
    }
  } finally {
    stream.destroy();
  }
}

/** An answer is larger than it may be: asking for less may help. */
export class TooLargeError extends Error {}

export async function readText(stream: Readable, options: { silenceMs: number; maxBytes: number }): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for await (const chunk of chunksOf(stream, options.silenceMs)) {
    length += chunk.length;
    if (length > options.maxBytes) throw new TooLargeError(`the answer is larger than ${options.maxBytes} bytes`);
    // Decoded as it comes, so that it is never held twice.
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Non-empty lines. A last line without its line feed was cut off, and is dropped. */
export async function* linesOf(stream: Readable, options: { silenceMs: number }): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunksOf(stream, options.silenceMs)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH)
      throw new Error(`a line of the watch is longer than ${MAX_LINE_LENGTH} characters`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}
