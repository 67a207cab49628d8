// Runs in the plugin's child process, before the plugin.
/**
 * Ends this process when its host has gone. The closed pipes say so to a loop that runs; a plugin may have blocked it, in JavaScript
 * or in a system call, so a thread of its own looks at the parent's id as well. The kernel could do it for nothing, but
 * prctl(PR_SET_PDEATHSIG) is out of reach of JavaScript. The thread costs about 6 MB and no time at start.
 */

import { Worker } from 'node:worker_threads';

const LOOK_EVERY_MS = 500;
/** As text, so that no loader and no type stripping is needed in there. */
const WATCH = `
  const { workerData: { host, everyMs } } = require('node:worker_threads');
  const look = () => { if (process.ppid !== host) process.kill(process.pid, 'SIGKILL'); };
  setInterval(look, everyMs);
  look();`;

/** Starts to watch, and gives the right to start threads up for good: whoever comes after cannot. */
export function watchHost(host: number): void {
  const worker = new Worker(WATCH, {
    eval: true,
    name: 'host-watch',
    workerData: { host, everyMs: LOOK_EVERY_MS },
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  worker.unref();
  process.permission.drop('worker');
}
