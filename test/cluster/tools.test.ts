import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findTools, missingTools, PACKAGES, type Tool, toolsDirectory } from '../support/cluster/tools.ts';
import { tempDir } from '../support/temp-dir.ts';

const TOOLS = Object.keys(PACKAGES) as Tool[];

function put(directory: string, tools: readonly Tool[]): string {
  mkdirSync(directory, { recursive: true });
  for (const tool of tools) {
    writeFileSync(join(directory, tool), '#!/bin/sh\n');
    chmodSync(join(directory, tool), 0o755);
  }
  return directory;
}

// The one test that is skipped where the programs are missing; the suites that need them say so beside it.
it('cluster: the tests have a real API server to run against', { skip: missingTools() }, () => {
  assert.equal(findTools().kind, 'found');
});

describe('cluster tools', () => {
  it('are taken from KUBEBUILDER_ASSETS, else from the cache, else from PATH', (t) => {
    const home = tempDir(t);
    const assets = put(join(home, 'assets'), ['etcd', 'kube-apiserver', 'kubectl']);
    const path = put(join(home, 'path'), TOOLS);
    const variables = { HOME: home, KUBEBUILDER_ASSETS: assets, PATH: `:${path}` };
    const built = put(join(toolsDirectory(variables), 'bin'), ['kubectl', 'helm']);
    assert.deepEqual(findTools(variables), {
      kind: 'found',
      tools: {
        etcd: join(assets, 'etcd'),
        'kube-apiserver': join(assets, 'kube-apiserver'),
        kubectl: join(assets, 'kubectl'),
        helm: join(built, 'helm'),
      },
    });
    assert.deepEqual(findTools({ HOME: home, PATH: path }), {
      kind: 'found',
      tools: {
        etcd: join(path, 'etcd'),
        'kube-apiserver': join(path, 'kube-apiserver'),
        kubectl: join(built, 'kubectl'),
        helm: join(built, 'helm'),
      },
    });
  });

  it('are missing when they are folders, not executable, or half built', (t) => {
    const home = tempDir(t);
    const path = put(join(home, 'path'), ['helm', 'kubectl', 'kube-apiserver']);
    chmodSync(join(path, 'kubectl'), 0o644);
    mkdirSync(join(path, 'etcd'));
    const variables = { HOME: home, PATH: path };
    put(join(`${toolsDirectory(variables)}.unfinished-1`, 'bin'), TOOLS);
    assert.deepEqual(findTools(variables), { kind: 'missing', missing: ['etcd', 'kubectl'] });
  });

  it('have a folder for each set of pinned versions, under XDG_CACHE_HOME if that is set', (t) => {
    const home = tempDir(t);
    assert.match(toolsDirectory({ HOME: home }), new RegExp(`^${home}/\\.cache/khook/cluster/[0-9a-f]{16}$`));
    assert.match(toolsDirectory({ HOME: home, XDG_CACHE_HOME: '/xdg' }), /^\/xdg\/khook\/cluster\/[0-9a-f]{16}$/);
  });
});
