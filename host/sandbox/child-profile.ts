/** The profile that a child process was asked for, until it comes. */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** A profile of minutes; what is larger is no profile. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const unzip = promisify(gunzip);

export class ChildProfile {
  #awaited: PromiseWithResolvers<string> | null = null;

  /** `send` asks the child. Rejects while another one is awaited. */
  ask(send: () => void): Promise<string> {
    if (this.#awaited !== null) return Promise.reject(new Error('a profile of it is being recorded already'));
    this.#awaited = Promise.withResolvers();
    send();
    return this.#awaited.promise;
  }

  /** False when nobody asked. */
  take(gzipped: string, fault: string): boolean {
    const awaited = this.#awaited;
    if (awaited === null) return false;
    this.#awaited = null;
    if (fault !== '') awaited.reject(new Error(fault));
    else {
      unzip(Buffer.from(gzipped, 'base64'), { maxOutputLength: MAX_JSON_BYTES }).then(
        (json) => awaited.resolve(json.toString('utf8')),
        awaited.reject,
      );
    }
    return true;
  }

  /** The child is gone. */
  end(why: string): void {
    this.#awaited?.reject(new Error(`its process ended: ${why}`));
    this.#awaited = null;
  }
}
