/** The whole corpus. */

import { ABORT } from './bodies/abort.ts';
import { CRASH } from './bodies/crash.ts';
import { ESCAPE_FILES } from './bodies/escape-files.ts';
import { ESCAPE_NETWORK } from './bodies/escape-network.ts';
import { ESCAPE_PROCESS } from './bodies/escape-process.ts';
import { FLOOD } from './bodies/flood.ts';
import { HANG } from './bodies/hang.ts';
import { HEALTHY } from './bodies/healthy.ts';
import { HEALTHY_RARE } from './bodies/healthy-rare.ts';
import { HEALTHY_UNUSUAL } from './bodies/healthy-unusual.ts';
import { HEAP_LEAK } from './bodies/heap-leak.ts';
import { LIFECYCLE } from './bodies/lifecycle.ts';
import { OFF_HEAP_LEAK } from './bodies/off-heap-leak.ts';
import { PROTOCOL } from './bodies/protocol.ts';
import type { Body } from './body.ts';

export const BODIES: readonly Body[] = [
  ...CRASH,
  ...HANG,
  ...HEAP_LEAK,
  ...OFF_HEAP_LEAK,
  ...FLOOD,
  ...ESCAPE_PROCESS,
  ...ESCAPE_FILES,
  ...ESCAPE_NETWORK,
  ...PROTOCOL,
  ...LIFECYCLE,
  ...HEALTHY,
  ...HEALTHY_UNUSUAL,
  ...HEALTHY_RARE,
  // Last: each of them may take the host with it.
  ...ABORT,
];
