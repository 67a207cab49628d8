/** A bundle is an ES module or CommonJS, as its manifest says, in either tier: what a file may name is what Node gives to such a file. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { openProcessVessel } from '../../host/sandbox/process-vessel.ts';
import { openThreadVessel } from '../../host/sandbox/thread-vessel.ts';
import type { Vessel, VesselRequest } from '../../host/sandbox/vessel.ts';
import { Watchdog } from '../../host/sandbox/watchdog.ts';
import { makeBirth } from '../../host/supervision/birth.ts';
import { systemClock } from '../../ipc/clock.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VesselRecorder } from '../support/vessel-recorder.ts';

const watchdog = new Watchdog({ clock: systemClock });
after(() => watchdog[Symbol.dispose]());

const VESSELS: Record<string, (request: VesselRequest) => Vessel> = {
  thread: (request) => openThreadVessel(request, { clock: systemClock, variables: {}, watchdog }),
  process: (request) => openProcessVessel(request, { clock: systemClock, variables: {}, watchdog }),
};
const DEADLINE = { deadlineMs: 5_000 };

const COMMONJS = "const { definePlugin } = require('khook/plugin');\nmodule.exports = definePlugin({ start() {} });\n";

for (const [kind, open] of Object.entries(VESSELS)) {
  const load = async (t: TestContext, type: 'module' | 'commonjs', text: string): Promise<Vessel> => {
    const directory = tempDir(t);
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'kinds', type }));
    writeFileSync(join(directory, 'index.js'), text);
    const spec = fixtureSpec('kinds', { directory, entry: join(directory, 'index.js') });
    const birth = makeBirth({
      spec,
      generation: 1,
      idPrefix: 'kinds-1',
      debug: false,
      connection: null,
      hostDirectory: process.cwd(),
    });
    const vessel = open({ spec, birth, listener: new VesselRecorder() });
    t.after(() => vessel.terminate({ reason: 'stopped', detail: 'the test is over', stack: '', code: '' }));
    await vessel.control.call('initialize', DEADLINE);
    await vessel.control.call('start', DEADLINE);
    return vessel;
  };

  describe(`module kinds: ${kind}`, () => {
    it('runs CommonJS, and refuses it nothing', async (t) => {
      const vessel = await load(t, 'commonjs', COMMONJS);
      await vessel.sample();
      assert.equal(vessel.uses.deniedFiles, 0);
    });

    it('says of CommonJS in a bundle of ES modules what it is', async (t) => {
      await assert.rejects(load(t, 'module', COMMONJS), {
        code: 'PLUGIN_ERR_LOAD',
        message: /require is not defined in ES module scope/,
      });
    });

    it('gives an ES module none of the names of CommonJS, and no module that it did not import', async (t) => {
      const kinds = '[typeof require, typeof module, typeof exports, typeof __filename, typeof fs, typeof path]';
      const text = `if (${kinds}.join('') !== 'undefined'.repeat(6)) throw new Error(${kinds}.join());\nexport default { start() {} };\n`;
      await load(t, 'module', text);
    });

    it('leaves it the globals that every file has', async (t) => {
      const kinds = '[typeof console, typeof process, typeof crypto, typeof URL, typeof fetch, typeof performance]';
      const expected = 'object,object,object,function,function,object';
      const text = `if (${kinds}.join() !== '${expected}') throw new Error(${kinds}.join());\nexport default { start() {} };\n`;
      await load(t, 'module', text);
    });
  });
}
