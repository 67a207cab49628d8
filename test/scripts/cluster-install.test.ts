import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { findTools, PACKAGES, toolsDirectory } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/cluster-install.ts');

/** Stands in for the compiler, which would take minutes. `VERSION` and `BUILD` are put in. */
const GO = `#!/bin/sh
[ "$1" = env ] && { echo goVERSION; exit 0; }
while [ "$1" != -o ]; do shift; done
BUILD
echo '#!/bin/sh' > "$2"
chmod +x "$2"
`;

interface Machine {
  readonly variables: Readonly<Record<string, string>>;
  /** What `go` does before it writes the program. */
  setGo(version: string, build?: string): void;
  install(...args: string[]): ChildProcess & { readonly text: () => string };
}

/** A home of its own, with nothing in PATH but a go, if any. */
function machine(t: TestContext): Machine {
  const home = tempDir(t);
  const bin = join(home, 'bin');
  mkdirSync(bin);
  const variables = { HOME: home, PATH: bin };
  return {
    variables,
    setGo(version, build = '') {
      writeFileSync(join(bin, 'go'), GO.replace('VERSION', version).replace('BUILD', build));
      chmodSync(join(bin, 'go'), 0o755);
    },
    install(...args) {
      const env = { HOME: home, PATH: `${bin}:/usr/bin:/bin` };
      // Only where the machine's own go would be found: it must not be.
      if (existsSync('/usr/bin/go') && !existsSync(join(bin, 'go'))) env.PATH = bin;
      const child = spawn(process.execPath, [SCRIPT, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      t.after(() => child.kill('SIGKILL'));
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
      return Object.assign(child, { text: () => text });
    },
  };
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((done) => child.once('close', (code) => done(code)));
}

/** Whoever killed the install left it running. */
function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone.
  }
}

describe('cluster:install', () => {
  it('builds all programs with their pinned versions, once', async (t) => {
    const { variables, setGo, install } = machine(t);
    setGo('1.26.0');
    const first = install();
    assert.equal(await ended(first), 0, first.text());
    assert.match(first.text(), /^kube-apiserver v1\.\d+\.\d+$/m);
    assert.match(first.text(), /^helm v4\.\d+\.\d+$/m);
    assert.match(first.text(), /^Done in \d+ s/m);
    assert.equal(findTools(variables).kind, 'found');
    setGo('1.26.0', 'exit 1');
    const second = install();
    assert.equal(await ended(second), 0);
    assert.match(second.text(), /^etcd, kube-apiserver, kubectl and helm are in /);
  });

  it('builds anew when a program was deleted', async (t) => {
    const { variables, setGo, install } = machine(t);
    setGo('1.26.0');
    await ended(install());
    rmSync(join(toolsDirectory(variables), 'bin', 'helm'));
    assert.equal(await ended(install()), 0);
    assert.equal(findTools(variables).kind, 'found');
  });

  it('fails with what the compiler says, and leaves nothing', async (t) => {
    const { variables, setGo, install } = machine(t);
    setGo('1.26.0', 'case $2 in *kubectl) echo "cmd/main.go:1:2: it does not compile" >&2; exit 1;; esac');
    const run = install('--if-possible');
    assert.equal(await ended(run), 1);
    assert.match(
      run.text(),
      /go build k8s\.io\/kubernetes\/cmd\/kubectl failed:\ncmd\/main\.go:1:2: it does not compile/,
    );
    assert.deepEqual(readdirSync(dirname(toolsDirectory(variables))), []);
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`is never taken for done when ${signal} ends it in the middle, and the next one clears up`, async (t) => {
      const { variables, setGo, install } = machine(t);
      setGo('1.26.0', 'case $2 in *helm) echo $$ > "$HOME/building"; exec sleep 30;; esac');
      const building = join(variables.HOME ?? '', 'building');
      const run = install();
      const compiler = await eventually(() => (existsSync(building) ? Number(readFileSync(building, 'utf8')) : null));
      t.after(() => stop(compiler));
      run.kill(signal);
      await new Promise((done) => run.once('exit', done));
      assert.deepEqual(findTools(variables), { kind: 'missing', missing: Object.keys(PACKAGES) });
      setGo('1.26.0');
      assert.equal(await ended(install()), 0);
      assert.deepEqual(readdirSync(dirname(toolsDirectory(variables))), [toolsDirectory(variables).split('/').at(-1)]);
    });
  }

  it('says which Go is needed; where that may be, it ends well without', async (t) => {
    const { setGo, install } = machine(t);
    const none = install();
    assert.equal(await ended(none), 1);
    assert.match(none.text(), /cannot be built: there is no go in PATH \(Go 1\.25\.0 or newer is needed\)/);
    assert.equal(await ended(install('--if-possible')), 0);
    setGo('1.19.8');
    const old = install();
    assert.equal(await ended(old), 1);
    assert.match(old.text(), /Go 1\.25\.0 or newer is needed, and this is 1\.19\.8/);
    assert.equal(await ended(install('--if-possible')), 0);
  });
});
