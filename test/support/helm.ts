/** Renders the chart with the real Helm. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findTool } from './cluster/tools.ts';

export const CHART = resolve(import.meta.dirname, '../../deploy/helm/khook');
/** Rendering asks no cluster, so it has to be told. */
const KUBE_VERSION = '1.33.0';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

/** For `skip` of node:test: why charts cannot be rendered here, or false. */
export function missingHelm(): string | false {
  return findTool('helm') === null && "no helm here: 'npm run cluster:install' builds it (needs Go)";
}

/** The text that `helm template` prints. Rejects with what Helm says. */
export async function renderText(values: unknown = {}, release = 'khook'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'khook-values-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    return await helm(['template', release, CHART, '-n', 'kagent', '--kube-version', KUBE_VERSION, '-f', file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function render(values: unknown = {}, release = 'khook'): Promise<Manifest[]> {
  const documents = parseAllDocuments(await renderText(values, release));
  return documents.map((document) => document.toJS() as Manifest | null).filter((object) => object !== null);
}

/** Standard output of a Helm command. */
export function helm(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(findTool('helm') ?? 'helm', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let [out, error] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      error += text;
    });
    child.once('error', fail);
    child.once('close', (code) => (code === 0 ? done(out) : fail(new Error(error.trim()))));
  });
}
