/** Flight records as the read API shows them: times that people read, and texts as the log would write them. */

import type { FlightRecordSnapshot } from '../http/view.ts';
import type { VitalSigns } from '../sandbox/vessel.ts';
import type { FlightRecord } from '../supervision/flight-record.ts';
import { safeFields, safeMessage } from '../telemetry/log-fields.ts';
import { pluginFields } from '../telemetry/plugin-lines.ts';

/** JSON escapes the controls itself. */
const ESCAPING = { controls: false };

/** What a plugin said, without what looks like a secret. */
export function safeText(text: string): string {
  return safeMessage(text, ESCAPING);
}

export function flightSnapshot(record: FlightRecord): FlightRecordSnapshot {
  const { id, plugin, generation, reason, code, uptimeMs, nextStartMs, at } = record;
  return {
    ...{ id, plugin, generation, reason, code, uptimeMs: Math.round(uptimeMs), nextStartMs },
    at: time(at),
    detail: safeText(record.detail),
    stack: safeText(record.stack),
    vitalSigns: record.vitalSigns.map((signs) => reading(signs, record)),
    events: record.events.map(({ id, type, receivedAt }) => ({
      id,
      type: safeText(type),
      receivedAt: time(receivedAt),
    })),
    log: record.log.map((line) => {
      const fields = pluginFields(line);
      const said = { at: time(line.at), level: line.level, message: safeText(line.message) };
      return fields === undefined ? said : { ...said, ...safeFields({ fields }, ESCAPING) };
    }),
  };
}

/** Readings have monotonic times; the end of the run has both. */
function reading(signs: VitalSigns, { at, endedAt }: FlightRecord): FlightRecordSnapshot['vitalSigns'][number] {
  return { ...signs, at: time(at - (endedAt - signs.at)) };
}

/** A plugin's clock is the plugin's word: what no calendar has is shown as the beginning of time. */
function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
