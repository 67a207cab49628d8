/** Faults and what mends them: an event that came before is no reason to tell of it again. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AppHost } from '../support/app-host.ts';
import type { Manners } from '../support/misbehaving-agent.ts';
import { healthy, hook, MAPPING, puppet } from './doctor-support.ts';

interface Mended {
  readonly what: string;
  readonly inject: (t: TestContext) => Promise<AppHost>;
  readonly mend: (host: AppHost) => Promise<unknown>;
}

type Files = Parameters<typeof healthy>[1];

function write({ directory }: AppHost, file: string, text: string): void {
  writeFileSync(join(directory, 'config', file), text);
}

/** After an event has come. */
function emitting(files: Files, manners: Manners = {}): Mended['inject'] {
  return async (t) => {
    const host = await healthy(t, files, manners);
    await host.plugin('puppet', 'running');
    await host.emit({});
    return host;
  };
}

const OFF = `mappings: [${MAPPING.replace(' }', ', enabled: false }')}]`;
const ON = `mappings: [${MAPPING}]`;
const otherAgent = {
  eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'b' }, prompt: 'look' }],
};

export const MENDED: readonly Mended[] = [
  {
    what: 'a mapping that was missing',
    inject: emitting({ mappings: 'mappings: []', hooks: { 'h.yaml': hook() } }),
    mend: async (host) => write(host, 'event-mappings.yaml', ON),
  },
  {
    what: 'a mapping that was switched off',
    inject: emitting({ mappings: OFF }),
    mend: async (host) => write(host, 'event-mappings.yaml', ON),
  },
  {
    what: 'a filter that failed',
    inject: emitting({ hooks: { 'h.yaml': hook({ filter: 'event.metadata.count > 3' }) } }),
    mend: async (host) => write(host, 'hooks/h.yaml', hook({ filter: 'event.metadata.?count.orValue(4) > 3' })),
  },
  {
    what: 'a filter that kept everything back',
    inject: emitting({ hooks: { 'h.yaml': hook({ filter: 'event.resourceName == "never"' }) } }),
    mend: async (host) => write(host, 'hooks/h.yaml', hook({ filter: 'event.resourceName == "r"' })),
  },
  {
    what: 'a plugin that sent what is no event',
    inject: (t) => healthy(t, { plugins: puppet('config: { count: 1, messageLength: 0 }') }),
    mend: async (host) => write(host, 'plugins.yaml', puppet('config: { count: 0 }')),
  },
  {
    what: 'a plugin that was over its rate limit',
    inject: (t) =>
      healthy(t, {
        plugins: puppet('rateLimit: { eventsPerSecond: 1, burst: 1, whenFull: drop_newest }, config: { count: 20 }'),
      }),
    mend: async (host) => write(host, 'plugins.yaml', puppet('config: { count: 0 }')),
  },
  {
    what: 'a Hook that named an agent which is not there',
    inject: emitting(
      { plugins: 'settings: { deadLetters: { maxAge: 100ms } }' },
      { onSend: () => ({ kind: 'says', status: 404, body: 'no such agent' }) },
    ),
    mend: async (host) => write(host, 'hooks/h.yaml', hook(otherAgent)),
  },
];
