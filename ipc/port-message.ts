/** A `Port` over a MessagePort of node:worker_threads. Used on both sides of the thread boundary. */

import type { MessagePort } from 'node:worker_threads';
import type { Port } from './port.ts';

export function messagePort<Out, In>(port: MessagePort): Port<Out, In> {
  let isClosed = false;
  port.once('close', () => {
    isClosed = true;
  });
  return {
    post(message) {
      if (!isClosed) port.postMessage(message);
    },
    receive(receiver) {
      port.removeAllListeners('message');
      port.on('message', receiver);
    },
    onClose(listener) {
      if (isClosed) queueMicrotask(listener);
      else port.once('close', listener);
    },
    close() {
      isClosed = true;
      port.close();
    },
  };
}
