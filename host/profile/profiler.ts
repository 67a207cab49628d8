/**
 * Profiles of the host or of one plugin, for whoever asks on the loopback port. One at a time: V8 has one profiler a thread, and
 * recording costs. The text of V8 is turned into pprof in a thread that lives for this alone.
 */

import { startCpuProfile, startHeapProfile } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { type ProfileKind, record } from '../sandbox/profile.ts';
import type { ConversionData } from './conversion.ts';

export interface ProfileRequest {
  readonly kind: ProfileKind;
  /** null: the host's own thread. */
  readonly plugin: string | null;
  readonly ms: number;
}

export interface ProfilerOptions {
  readonly clock: Clock;
  /** Records in a plugin's thread or process; null when no run of it is there. */
  readonly recordPlugin: (plugin: string, kind: ProfileKind, ms: number) => Promise<string> | null;
}

const CONVERSION = new URL('./conversion.ts', import.meta.url);
/** A profile of minutes has some ten MB of JSON; whatever a plugin made of it, no more than this. */
const CONVERSION_HEAP_MB = 512;

export class Profiler {
  readonly #options: ProfilerOptions;
  #isBusy = false;

  constructor(options: ProfilerOptions) {
    this.#options = options;
  }

  /** Gzipped pprof. Rejects with HOST_ERR_PROFILE. */
  async profile({ kind, plugin, ms }: ProfileRequest): Promise<Uint8Array> {
    const { clock, recordPlugin } = this.#options;
    if (this.#isBusy) throw fault('another profile is being recorded; ask again when it is done');
    this.#isBusy = true;
    try {
      const startedAt = clock.wall();
      const recording =
        plugin === null
          ? record(clock, ms, kind === 'cpu' ? startCpuProfile : startHeapProfile)
          : recordPlugin(plugin, kind, ms);
      if (recording === null) throw fault(`plugin ${plugin} does not run, so there is nothing to profile`);
      const text = await recording;
      return await convert({ kind, text, startedAt, durationMs: ms });
    } catch (error) {
      throw error instanceof HostError ? error : fault(`the profile could not be recorded: ${messageOf(error)}`);
    } finally {
      this.#isBusy = false;
    }
  }
}

function convert(data: ConversionData): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(CONVERSION, {
      name: 'profile',
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: CONVERSION_HEAP_MB },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`its conversion ended with code ${code}`)));
  });
}

function fault(message: string): HostError {
  return new HostError('HOST_ERR_PROFILE', message, { kind: 'user' });
}
