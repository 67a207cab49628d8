// Runs in the plugin's thread.
/** The engine and the machine: flags of the whole process, snapshots, fresh contexts without the guard, priorities, other programs. */

import type { Doors } from './doors.ts';
import { lock, wrapConstructor } from './lock.ts';
import { each, freeze, get, ownKeys } from './primordials.ts';
import type { Refusals } from './refusal.ts';
import { guardScripts } from './scripts.ts';

const BEYOND = 'it acts on the whole process, which other plugins share';
const CONTEXT = 'a fresh context would not be guarded';
const PROGRAM = 'a plugin may not start programs';

const V8: Readonly<Record<string, string>> = {
  setFlagsFromString: BEYOND,
  setHeapSnapshotNearHeapLimit: BEYOND,
  writeHeapSnapshot: 'the host takes heap snapshots',
  startCpuProfile: 'the host takes profiles',
  startHeapProfile: 'the host takes profiles',
  // It looks into objects of Node that do not stand being looked at.
  queryObjects: 'it shows the objects of the runtime',
  takeCoverage: BEYOND,
  stopCoverage: BEYOND,
};

export function guardEngine(refusals: Refusals, doors: Doors): void {
  // The runtime has it. With the right words it writes a heap snapshot wherever the process may write, past all permissions.
  if ('gc' in globalThis) lock(globalThis, 'gc', undefined);
  const refuse = (exports: object, module: string, names: Readonly<Record<string, string>>): void => {
    each(ownKeys(names) as string[], (name) => {
      if (name in exports) lock(exports, name, refusals.refuse(`${module}.${name}`, names[name] as string));
    });
  };
  doors.on(['v8'], (v8) => {
    refuse(v8, 'v8', V8);
    refuse(v8.promiseHooks as object, 'v8.promiseHooks', {
      createHook: 'it shows the promises of the runtime',
      onInit: 'it shows the promises of the runtime',
      onBefore: 'it shows the promises of the runtime',
      onAfter: 'it shows the promises of the runtime',
      onSettled: 'it shows the promises of the runtime',
    });
    lock(v8, 'promiseHooks', freeze(v8.promiseHooks));
    // The report of an uncaught error goes through these.
    each(['serialize', 'deserialize'], (name) => lock(v8, name, v8[name]));
    each(['Serializer', 'DefaultSerializer'], (name) => {
      const { prototype } = v8[name] as { prototype: object };
      each(ownKeys(prototype), (key) => {
        if (key !== 'constructor') lock(prototype, key, get(prototype, key));
      });
    });
  });
  // A thread may set neither anyway, and `crypto.fips` in a process changes that process alone.
  doors.on(['crypto'], (crypto) => refuse(crypto, 'crypto', { setFips: BEYOND, setEngine: BEYOND }));
  doors.on(['os'], (os) => refuse(os, 'os', { setPriority: BEYOND }));
  doors.on(['vm'], (vm) => {
    refuse(vm, 'vm', { createContext: CONTEXT, runInContext: CONTEXT, runInNewContext: CONTEXT });
    const { prototype } = vm.Script as { prototype: object };
    refuse(prototype, 'vm.Script', { runInContext: CONTEXT, runInNewContext: CONTEXT });
    guardScripts(vm, refusals);
  });
  doors.on(['child_process'], (programs) => {
    each(ownKeys(programs) as string[], (name) => {
      const given = programs[name];
      if (typeof given !== 'function') return;
      // Not only the calls: a process handle that was never started signals whatever number lies in its memory.
      const deny = refusals.refuse(`child_process.${name}`, PROGRAM);
      lock(programs, name, name === 'ChildProcess' ? wrapConstructor(given as never, deny, deny) : deny);
    });
  });
  // Libraries ask it whether they are one of several processes; so does net, and would let `_getServer` listen in its place.
  doors.on(['cluster'], (cluster) => {
    refuse(cluster, 'cluster', {
      fork: PROGRAM,
      setupPrimary: PROGRAM,
      setupMaster: PROGRAM,
      disconnect: PROGRAM,
      Worker: PROGRAM,
    });
    each(['isPrimary', 'isMaster', 'isWorker', '_getServer'], (name) => lock(cluster, name, cluster[name]));
  });
}
