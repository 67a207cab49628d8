/** Makes `gc` exist in threads that are born from now on. `khook run` sets the flag itself; a host inside another process does it here. */

import { setFlagsFromString } from 'node:v8';

let isExposed = typeof (globalThis as { gc?: unknown }).gc === 'function';

export function exposeCollection(): void {
  if (isExposed) return;
  isExposed = true;
  setFlagsFromString('--expose-gc');
}
