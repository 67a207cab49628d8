/** The lanes of all agents: made when first needed, forgotten when long idle. Swept when one is made, so no timer runs. */

import type { Clock } from '../../ipc/clock.ts';
import type { Emitter } from '../base/emitter.ts';
import { AgentLane } from './agent-lane.ts';
import type { DispatchEvents } from './events.ts';
import type { DispatchSettings } from './settings.ts';

export interface LanesOptions {
  readonly clock: Clock;
  readonly settings: DispatchSettings;
  readonly events: Emitter<DispatchEvents>;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, AgentLane>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#lanes.size;
  }

  of(agent: string): AgentLane {
    const known = this.#lanes.get(agent);
    if (known !== undefined) return known;
    this.#sweep();
    const { clock, settings, events } = this.#options;
    const lane = new AgentLane({
      agent,
      settings,
      clock,
      onOpened: () => events.emit('circuit:opened', { agent }),
      onClosed: () => events.emit('circuit:closed', { agent }),
    });
    this.#lanes.set(agent, lane);
    return lane;
  }

  /** Agents whose circuit is not closed. */
  open(): readonly string[] {
    return [...this.#lanes.values()].filter((lane) => lane.isOpen).map((lane) => lane.agent);
  }

  /** Only idle lanes go: busy ones are bounded by the outbox. */
  #sweep(): void {
    const { settings } = this.#options;
    const idle = [...this.#lanes.values()].filter((lane) => lane.idleMs > 0).sort((a, b) => b.idleMs - a.idleMs);
    for (const lane of idle) {
      const isOver = this.#lanes.size >= settings.maxLanes;
      if (!isOver && lane.idleMs < settings.laneIdleMs) return;
      this.#lanes.delete(lane.agent);
      if (lane.isOpen) this.#options.events.emit('circuit:closed', { agent: lane.agent });
    }
  }
}
