/** The whole corpus. */

import { ABORT } from './bodies/abort.ts';
import { ABORT_MORE } from './bodies/abort-more.ts';
import { ABORT_RARE } from './bodies/abort-rare.ts';
import { ABORT_SLIPS } from './bodies/abort-slips.ts';
import { CRASH } from './bodies/crash.ts';
import { ESCAPE_BUILTINS } from './bodies/escape-builtins.ts';
import { ESCAPE_DESCRIPTORS } from './bodies/escape-descriptors.ts';
import { ESCAPE_FILES } from './bodies/escape-files.ts';
import { ESCAPE_NETWORK } from './bodies/escape-network.ts';
import { ESCAPE_PROCESS } from './bodies/escape-process.ts';
import { ESCAPE_WAYS } from './bodies/escape-ways.ts';
import { FLOOD } from './bodies/flood.ts';
import { GROW_PLACES } from './bodies/grow-places.ts';
import { HANG } from './bodies/hang.ts';
import { HANG_ODD } from './bodies/hang-odd.ts';
import { HEALTHY } from './bodies/healthy.ts';
import { HEALTHY_HEAVY } from './bodies/healthy-heavy.ts';
import { HEALTHY_ODD } from './bodies/healthy-odd.ts';
import { HEALTHY_RARE } from './bodies/healthy-rare.ts';
import { HEALTHY_UNUSUAL } from './bodies/healthy-unusual.ts';
import { HEAP_LEAK } from './bodies/heap-leak.ts';
import { HOSTILE_ERRORS } from './bodies/hostile-errors.ts';
import { HOSTILE_EVENTS } from './bodies/hostile-events.ts';
import { LEAK_PLACES } from './bodies/leak-places.ts';
import { LIFECYCLE } from './bodies/lifecycle.ts';
import { LIFECYCLE_ABUSE } from './bodies/lifecycle-abuse.ts';
import { ODD_LIVES } from './bodies/odd-lives.ts';
import { OFF_HEAP_LEAK } from './bodies/off-heap-leak.ts';
import { POISON } from './bodies/poison.ts';
import { PROTOCOL } from './bodies/protocol.ts';
import { RARE_WAYS } from './bodies/rare-ways.ts';
import { STORM } from './bodies/storm.ts';
import type { Body } from './body.ts';

export const BODIES: readonly Body[] = [
  ...CRASH,
  ...HOSTILE_ERRORS,
  ...HANG,
  ...HANG_ODD,
  ...HEAP_LEAK,
  ...OFF_HEAP_LEAK,
  ...LEAK_PLACES,
  ...GROW_PLACES,
  ...FLOOD,
  ...STORM,
  ...RARE_WAYS,
  ...ESCAPE_PROCESS,
  ...ESCAPE_BUILTINS,
  ...ESCAPE_FILES,
  ...ESCAPE_NETWORK,
  ...ESCAPE_WAYS,
  ...ESCAPE_DESCRIPTORS,
  ...POISON,
  ...HOSTILE_EVENTS,
  ...PROTOCOL,
  ...LIFECYCLE,
  ...LIFECYCLE_ABUSE,
  ...ODD_LIVES,
  ...HEALTHY,
  ...HEALTHY_UNUSUAL,
  ...HEALTHY_RARE,
  ...HEALTHY_ODD,
  ...HEALTHY_HEAVY,
  // Last: each of them may take the host with it.
  ...ABORT,
  ...ABORT_MORE,
  ...ABORT_RARE,
  ...ABORT_SLIPS,
];
