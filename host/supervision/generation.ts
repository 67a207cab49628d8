/** One run of a plugin from its birth to its end, in the order everybody expects: open, initialise, credit, start; drain, stop, terminate. */

import type { Clock } from '../../ipc/clock.ts';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import type { Frame } from '../../ipc/frame.ts';
import type { ToPlugin } from '../../ipc/messages.ts';
import { pluginFrames } from '../../ipc/plugin-frames.ts';
import { HostError } from '../base/errors.ts';
import { oneLine } from '../base/one-line.ts';
import { within } from '../base/within.ts';
import { grantFault } from '../config/folder-fault.ts';
import type { PluginSpec } from '../config/plugin-plan.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { OpenVessel, Vessel, VesselListener } from '../sandbox/vessel.ts';
import { exitAsKnown } from './archive-names.ts';
import { makeBirth } from './birth.ts';
import type { RefusedStep } from './unstopped.ts';

/** Where the frames of one generation go. The bus makes it; supervision only holds it. */
export interface Inlet {
  /** Returns what is wrong with the frame, or null. */
  accept(frame: Frame): string | null;
  /** Credit to grant before the plugin starts. */
  readonly credit: { readonly events: number; readonly bytes: number };
  /** No more frames of this generation; what was accepted is still answered. */
  close(): void;
}

export type OpenInlet = (options: {
  readonly spec: PluginSpec;
  readonly idPrefix: string;
  readonly reply: (message: ToPlugin) => void;
}) => Inlet;

export interface GenerationOptions {
  readonly spec: PluginSpec;
  readonly generation: number;
  readonly idPrefix: string;
  readonly clock: Clock;
  readonly openVessel: OpenVessel;
  readonly openInlet: OpenInlet;
  readonly connection: () => KubernetesConnection | null;
  readonly hostDirectory: string;
  /** Somebody reads its debug lines although its own configuration does not ask for them. */
  readonly wantsDebug?: (plugin: string) => boolean;
  readonly listener: Omit<VesselListener, 'frame'>;
}

/** A wire that closes foretells an end, which is known by then and says more. */
const END_MS = 250;
const RECONNECT_MS = 5_000;
/** How long a plugin that is not ready in time is asked what it is at. */
const ASK_MS = 250;
const STOPPED: Exit = { reason: 'stopped', detail: 'it was stopped', stack: '', code: '' };

export class Generation {
  readonly spec: PluginSpec;
  readonly number: number;
  readonly vessel: Vessel;
  readonly #clock: Clock;
  readonly #inlet: Inlet;
  readonly #bornAt: number;
  /** What it was born with: the address that it may connect to. */
  readonly #server: string | null;
  #readyAt: number | null = null;
  #exited: Exit | null = null;
  readonly #over = Promise.withResolvers<void>();
  #isStopping = false;
  #refused: RefusedStep[] = [];

  constructor(options: GenerationOptions) {
    const { spec, generation, idPrefix, listener } = options;
    this.spec = spec;
    this.number = generation;
    this.#clock = options.clock;
    this.#bornAt = options.clock.now();
    // Its plan was made when nothing was wrong with the folders; that may be long ago.
    const fault = grantFault(spec);
    if (fault !== null) throw new HostError('HOST_ERR_FOLDER', fault);
    const birth = makeBirth({
      spec,
      generation,
      idPrefix,
      debug: spec.debug || (options.wantsDebug?.(spec.name) ?? false),
      connection: options.connection(),
      hostDirectory: options.hostDirectory,
    });
    this.#server = birth.connection?.server ?? null;
    this.#inlet = options.openInlet({ spec, idPrefix, reply: (message) => this.vessel.post(message) });
    try {
      this.vessel = options.openVessel({
        spec,
        birth,
        listener: {
          ...listener,
          frame: (frame) => {
            const fault = this.#inlet.accept(frame);
            if (fault !== null)
              void this.vessel.terminate({ reason: 'flood', detail: `sent ${fault}`, stack: '', code: '' });
          },
          exit: (ended) => {
            const exit = exitAsKnown(ended, spec);
            this.#exited = exit;
            this.#over.resolve();
            this.#inlet.close();
            listener.exit(exit);
          },
        },
      });
    } catch (error) {
      this.#inlet.close();
      throw error;
    }
  }

  /** How it ended, or null while it lives. */
  get exited(): Exit | null {
    return this.#exited;
  }

  get uptimeMs(): number {
    return this.#clock.now() - this.#bornAt;
  }

  /** How long it has been ready. */
  get ranMs(): number {
    return this.#readyAt === null ? 0 : this.#clock.now() - this.#readyAt;
  }

  /** What it refused so far of the stop that is under way. */
  get refused(): readonly RefusedStep[] {
    return this.#refused;
  }

  /** Resolves to null when the plugin is ready, else to how the start failed; the vessel is gone then. */
  async boot(): Promise<Exit | null> {
    const { control } = this.vessel;
    const { startTimeoutMs } = this.spec.limits;
    const startedAt = this.#clock.now();
    let step: 'initialize' | 'start' = 'initialize';
    try {
      await control.call('initialize', { deadlineMs: startTimeoutMs });
      // A stop may have come meanwhile: what was told to stop is not started.
      if (this.#isStopping) return STOPPED;
      this.vessel.post({ kind: 'credit', ...this.#inlet.credit });
      // The limit is on both together.
      const deadlineMs = Math.max(1, startTimeoutMs - (this.#clock.now() - startedAt));
      step = 'start';
      await control.call('start', { deadlineMs });
      this.#readyAt = this.#clock.now();
      return this.#exited;
    } catch (error) {
      if (codeOf(error) === 'IPC_ERR_CLOSED') await within(this.#clock, this.#over.promise, END_MS);
      const isLate = codeOf(error) === 'IPC_ERR_DEADLINE';
      const exit = this.#exited ?? (isLate ? await this.#lateStart(step) : failedStart(error));
      await this.vessel.terminate(exit);
      return this.#exited ?? exit;
    }
  }

  /** It was not ready in time: says what it was at, and what that often is. */
  async #lateStart(step: 'initialize' | 'start'): Promise<Exit> {
    const { startTimeoutMs } = this.spec.limits;
    const limit = `within ${Number((startTimeoutMs / 1000).toPrecision(3))} s (limits.startTimeout)`;
    const words = {
      load: `its files were not loaded ${limit}: a top-level await may wait for what does not come`,
      initialize: `its 'initialize' did not end ${limit}`,
      start: `its 'start' did not end ${limit}: it must begin the work and return, not wait for its end`,
    };
    const isLoaded = step === 'start' || (await this.#isLoaded());
    return { reason: 'failed_start', detail: words[isLoaded ? step : 'load'], stack: '', code: 'IPC_ERR_DEADLINE' };
  }

  /** Where it does not say: as if. */
  async #isLoaded(): Promise<boolean> {
    return (await this.vessel.control.call('isLoaded', { deadlineMs: ASK_MS }).catch(() => true)) !== false;
  }

  /** False when only another generation can use the connection, because it leads elsewhere. Nothing happens to a plugin without one. */
  reconnect(connection: KubernetesConnection): boolean {
    if (this.#server === null) return true;
    if (connection.server !== this.#server) return false;
    this.vessel.control.call('reconnect', { deadlineMs: RECONNECT_MS, args: [connection] }).catch(() => undefined);
    return true;
  }

  /**
   * The ladder: drain, stop, terminate. Resolves when the vessel is gone, with the steps that the plugin refused. Drain has half of
   * the time, stop all that is left, so that a plugin which cannot drain still gets to close what it opened.
   */
  async stop(withinMs = this.spec.limits.stopTimeoutMs): Promise<readonly RefusedStep[]> {
    const deadlineMs = Math.min(withinMs, this.spec.limits.stopTimeoutMs);
    const startedAt = this.#clock.now();
    this.#isStopping = true;
    await this.#ask('drain', deadlineMs / 2);
    await this.#ask('stop', Math.max(1, deadlineMs - (this.#clock.now() - startedAt)));
    await this.vessel.terminate(STOPPED);
    return this.#refused;
  }

  async #ask(step: 'drain' | 'stop', deadlineMs: number): Promise<void> {
    const askedAt = this.#clock.now();
    try {
      await this.vessel.control.call(step, { deadlineMs });
    } catch (error) {
      const isSilent = codeOf(error) === 'IPC_ERR_DEADLINE';
      const refused = {
        step,
        afterMs: this.#clock.now() - askedAt,
        error: isSilent ? '' : oneLine(messageOf(error)),
      };
      this.#refused = [...this.#refused, refused];
    }
  }
}

function failedStart(error: unknown): Exit {
  const code = codeOf(error);
  const stack = (error as { stack?: unknown }).stack;
  return {
    reason: code === 'PLUGIN_ERR_CONFIG' ? 'bad_config' : 'failed_start',
    detail: oneLine(messageOf(error)),
    stack: typeof stack === 'string' ? pluginFrames(stack) : '',
    code,
  };
}
