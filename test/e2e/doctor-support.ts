/** A host with one puppet, one mapping, one Hook and one agent, all of them well; a fault is what one test changes of it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Finding } from '../../host/doctor/finding.ts';
import { AppHost, type AppHostFiles } from '../support/app-host.ts';
import { type Manners, MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { tempDir } from '../support/temp-dir.ts';

export const FIXTURES = 'test/fixtures/plugins';
export const MAPPING = '{ eventSource: puppet, eventType: happened, internalType: Happened }';

export function hook(spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): string {
  const eventConfigurations = [{ eventType: 'happened', agentRef: { name: 'a' }, prompt: 'look' }];
  return JSON.stringify({
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name: 'h', namespace: 'default', ...metadata },
    spec: { eventConfigurations, ...spec },
  });
}

/** Later ones win. */
export async function healthy(t: TestContext, files: AppHostFiles = {}, manners: Manners = {}): Promise<AppHost> {
  const agent = await MisbehavingAgent.start(manners);
  const host = await AppHost.start(t, {
    mappings: `mappings: [${MAPPING}]`,
    hooks: { 'h.yaml': hook() },
    bundles: { puppet: `${FIXTURES}/puppet` },
    plugins: 'plugins: []',
    ...files,
    flags: ['--agent-url', agent.url, ...(files.flags ?? [])],
  });
  // After the host: one that still follows a task waits for its agent.
  t.after(() => agent.stop());
  return host;
}

/** plugins.yaml with one entry for the puppet. */
export function puppet(entry: string): string {
  return `plugins: [{ name: puppet, ${entry} }]`;
}

export async function findingsOf(host: AppHost): Promise<readonly Finding[]> {
  return (await host.json<{ findings: readonly Finding[] }>('/api/v1/doctor')).findings;
}

/** The folder of a bundle with this source. */
export function bundle(t: TestContext, name: string, source: string, khook: Record<string, unknown> = {}): string {
  const directory = join(tempDir(t), name);
  mkdirSync(directory, { recursive: true });
  const manifest = { apiVersion: 1, eventTypes: ['happened'], ...khook };
  const text = JSON.stringify({ name, version: '1.0.0', type: 'module', main: 'index.ts', khook: manifest });
  writeFileSync(join(directory, 'package.json'), text);
  writeFileSync(join(directory, 'index.ts'), source);
  return directory;
}
