/** What a plugin writes to stdout and stderr, as log records: whole lines, bounded in length and in number per second. */

import type { Readable } from 'node:stream';
import type { Clock } from '../../ipc/clock.ts';
import type { LogLevel } from '../../ipc/messages.ts';
import type { VesselListener } from './vessel.ts';

const LINE_LIMIT = 8_192;
const LINES_PER_SECOND = 200;

export interface OutputOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly listener: Pick<VesselListener, 'log' | 'logsDropped'>;
}

export function forwardOutput(stream: Readable, options: OutputOptions): void {
  const { level, clock, listener } = options;
  let rest = '';
  let window = { start: clock.now(), lines: 0 };
  const say = (raw: string): void => {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') return;
    if (clock.now() - window.start >= 1000) window = { start: clock.now(), lines: 0 };
    window.lines += 1;
    if (window.lines > LINES_PER_SECOND) listener.logsDropped(1);
    else listener.log({ level, message: line.slice(0, LINE_LIMIT), at: clock.wall(), fields: '' });
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) say(line);
    if (rest.length > LINE_LIMIT) {
      say(rest);
      rest = '';
    }
  });
  stream.on('end', () => say(rest));
  stream.on('error', () => undefined);
}
