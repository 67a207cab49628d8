// Runs in the plugin's thread.
/**
 * What happens to a thread, or to a child process, before any plugin code: it loses what a plugin may not have. This is a layer of
 * defence, not a proof: a few native calls abort the process whatever is done in JavaScript, and the host trusts nothing that is
 * said from here. Each part says what it takes away; the order matters where a comment says so.
 */

import type { MessagePort } from 'node:worker_threads';
import type { NetworkPolicy, ThreadBudget } from '../../control.ts';
import type { WireError } from '../../errors.ts';
import { guardBlobs } from './blobs.ts';
import { guardCompression } from './compression.ts';
import { guardCrypto } from './crypto.ts';
import { Doors } from './doors.ts';
import { Ending } from './ending.ts';
import { guardEngine } from './engine.ts';
import { guardErrors } from './errors.ts';
import { guardFiles } from './files.ts';
import { guardHistograms } from './histograms.ts';
import { guardMemory } from './memory.ts';
import { guardMessaging } from './messaging.ts';
import { guardNetwork } from './network.ts';
import { isAnyGranted } from './network-policy.ts';
import { guardNetworkSlips } from './network-slips.ts';
import { Pool } from './pool.ts';
import { preventExtensions } from './primordials.ts';
import { guardProcess } from './process.ts';
import { makeRefusals } from './refusal.ts';
import { guardSlips } from './slips.ts';
import { guardStdio, type LogLine, type StandardOutput } from './stdio.ts';
import { countRefusedFiles, UseCount } from './use-count.ts';

export interface GuardOptions {
  readonly network: NetworkPolicy;
  readonly budget: ThreadBudget;
  /** Of a worker, which may read it whatever was granted; null in a process of its own. */
  readonly hostDirectory: string | null;
  /** The runtime's own ports, which a plugin must not get hold of. */
  readonly ports: readonly MessagePort[];
  /** One cell in which the host reads how much of the thread pool is used here; null in a process, which has its own. */
  readonly poolWork: Int32Array | null;
  /** See `ipc/ending-cells.ts`. Null in a process, which may end anywhere. */
  readonly ending: Int32Array | null;
  /** See `ipc/uses.ts`: what the plugin uses is counted here. */
  readonly uses: Int32Array;
  readonly log: LogLine;
  /** Sends the last log lines: called before the thread ends. */
  readonly flush: () => void;
  /**
   * How a child process tells its host of an uncaught error: it must end the process, at once or when its words are written.
   * Null in a worker, where Node tells the host.
   */
  readonly report: ((error: WireError) => void) | null;
}

/** Once, after everything of the runtime is loaded. Throws when a part cannot be guarded: then no plugin must be started here. */
export function guardThread(options: GuardOptions): void {
  const { network, budget, log } = options;
  const uses = new UseCount(options.uses);
  const refusals = makeRefusals(uses, (text) => log('warn', text));
  const doors = new Doors(refusals);
  // Before the process loses its report, which Node's capture callback touches.
  let output: StandardOutput | null = null;
  const flush = (): void => {
    output?.end();
    options.flush();
  };
  guardErrors({ refusals, flush, report: options.report });
  // Before the streams are replaced: the private port is found through them.
  guardMessaging({ refusals, doors, ports: options.ports });
  output = guardStdio(log);
  guardFiles({ refusals, doors, output, limit: budget.files, uses });
  guardNetwork({ refusals, doors, network, budget, uses });
  const ending = new Ending(options.ending);
  const pool = new Pool(options.poolWork, ending);
  guardCrypto({ refusals, doors, pool });
  guardCompression({ refusals, doors, pool, ending, isGranted: isAnyGranted(network) });
  guardEngine(refusals, doors);
  guardMemory(refusals);
  guardBlobs(refusals);
  guardHistograms(refusals, doors);
  guardSlips(doors);
  guardNetworkSlips(refusals, doors);
  guardProcess({ refusals, hostDirectory: options.hostDirectory });
  // Nothing planted there (a `then`, a `get`, a setter) reaches the objects of Node or of the runtime.
  preventExtensions(Object.prototype);
  doors.close();
  doors.sync();
  countRefusedFiles(uses);
}
