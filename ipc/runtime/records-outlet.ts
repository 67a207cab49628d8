// Runs in the plugin's child process.
/**
 * The child's end of the events pipe. A pipe takes messages up to a size: log lines and metrics are sent in parts. Frames are bounded
 * by credit; the rest is bounded here: while the host does not read, records are counted instead of kept.
 */

import { codeOf } from '../errors.ts';
import type { LogMessage, MetricMessage, ToHost, ToPlugin } from '../messages.ts';
import type { Port } from '../port.ts';

const MAX_QUEUE_BYTES = 4 * 1024 * 1024;

export interface RecordsOutletOptions {
  readonly port: Port<ToHost, ToPlugin>;
  /** Bytes that the host has not read yet. */
  readonly queuedBytes: () => number;
}

export function recordsOutlet({ port, queuedBytes }: RecordsOutletOptions): Port<ToHost, ToPlugin> {
  const lost = { lines: 0, metrics: 0 };

  const send = (message: LogMessage | MetricMessage): void => {
    try {
      port.post(message);
    } catch (error) {
      if (codeOf(error) !== 'IPC_ERR_PROTOCOL') throw error;
      const middle = message.records.length >> 1;
      // A single record that is too large: metrics may have any number of labels.
      if (middle === 0) lose(message);
      else for (const part of halves(message, middle)) send(part);
    }
  };
  const lose = (message: LogMessage | MetricMessage): void => {
    if (message.kind === 'metric') lost.metrics += message.records.length;
    else lost.lines += message.records.length + message.dropped;
  };

  return {
    ...port,
    post(message) {
      if (message.kind === 'frame') port.post(message);
      else if (message.kind === 'refused' || message.kind === 'renew') {
        if (queuedBytes() <= MAX_QUEUE_BYTES) port.post(message);
      } else if (queuedBytes() > MAX_QUEUE_BYTES) lose(message);
      else if (message.kind === 'metric') send(message);
      else {
        const dropped = message.dropped + lost.lines + lost.metrics;
        lost.lines = 0;
        lost.metrics = 0;
        send({ ...message, dropped });
      }
    },
  };
}

function halves<Message extends LogMessage | MetricMessage>(message: Message, middle: number): Message[] {
  const first = { ...message, records: message.records.slice(0, middle) };
  const second = { ...message, records: message.records.slice(middle) };
  return message.kind === 'log' ? [{ ...first, dropped: 0 }, second] : [first, second];
}
