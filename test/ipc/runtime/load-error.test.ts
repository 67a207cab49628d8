/** What an author is told of each ordinary way to break a bundle: the file, the line, what is wrong and what to do. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { CodedError } from '../../../ipc/errors.ts';
import { loadError } from '../../../ipc/runtime/load-error.ts';
import { tempDir } from '../../support/temp-dir.ts';

type Files = Readonly<Record<string, string>>;

async function failureOf(
  t: TestContext,
  files: Files,
  type = 'module',
): Promise<{ error: CodedError; folder: string }> {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const entry = pathToFileURL(join(folder, Object.keys(files)[0] ?? '')).href;
  const thrown = await import(entry).then(
    () => assert.fail('it was imported'),
    (error: unknown) => error,
  );
  return { error: loadError(thrown, entry), folder };
}

const CASES: readonly {
  readonly name: string;
  readonly files: Files;
  readonly type?: string;
  readonly says: RegExp;
  readonly shows?: RegExp;
}[] = [
  {
    name: 'a syntax error in JavaScript',
    files: { 'index.js': 'export default {\n  start() { return [1, 2; }\n};\n' },
    says: /imported: DIR\/index\.js:2: Unexpected token ';'$/,
    shows: /^DIR\/index\.js:2\n.*\n {2}start\(\) \{ return \[1, 2; \}\n +\^/,
  },
  {
    name: 'a syntax error in a file that the entry imports',
    files: { 'index.js': "import './a.js';\n", 'a.js': "import './b.js';\n", 'b.js': '\n\nexport function f( {\n' },
    says: /imported: DIR\/b\.js:3: Unexpected end of input$/,
  },
  {
    name: 'an error of syntax that only V8 finds',
    files: { 'index.js': 'const a = 1;\nconst a = 2;\n' },
    says: /imported: Identifier 'a' has already been declared, in DIR\/index\.js or a file that it imports$/,
  },
  {
    name: 'TypeScript that is more than types',
    files: { 'index.ts': 'export const a = 1;\nenum Color { Red }\n' },
    says: /imported: DIR\/index\.ts:2: TypeScript enum .* \(ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX\); types are only taken out: write/,
  },
  {
    name: 'a type that is imported as a value',
    files: { 'index.ts': "import { T } from './t.ts';\nexport const t: T = 1;\n", 't.ts': 'export type T = number;\n' },
    says: /imported: DIR\/index\.ts:1: .* does not provide an export named 'T'; if it is a type, import it by `import type`$/,
  },
  {
    name: 'an export that is not there',
    files: { 'index.js': "import { b } from './a.js';\n", 'a.js': 'export const a = 1;\n' },
    says: /imported: DIR\/index\.js:1: The requested module '\.\/a\.js' does not provide an export named 'b'$/,
  },
  {
    name: 'ES modules in a package of CommonJS',
    files: { 'index.js': "import fs from 'node:fs';\nexport default fs;\n" },
    type: 'commonjs',
    says: /imported: DIR\/index\.js:1: Cannot use import statement outside a module; .* "type": "module" into its package\.json$/,
  },
  {
    name: 'CommonJS in a package of ES modules',
    files: { 'index.js': "\nconst fs = require('node:fs');\nmodule.exports = fs;\n" },
    says: /imported: DIR\/index\.js:2: require is not defined in ES module scope.*; .* write "type": "commonjs"$/,
  },
  {
    name: 'files that import each other in a circle',
    files: {
      'index.js': "import './a.js';\n",
      'a.js': "import { b } from './b.js';\nexport const a = b;\n",
      'b.js': "import { a } from './a.js';\nexport const b = a;\n",
    },
    says: /imported: DIR\/b\.js:2: Cannot access 'a' before initialization; .* in a circle$/,
  },
  {
    name: 'a package that is not there',
    files: { 'index.js': "import 'no-such-package';\n" },
    shows: /^Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package 'no-such-package' imported from DIR\/index\.js$/,
    says: /imported: Cannot find package 'no-such-package' imported from DIR\/index\.js \(ERR_MODULE_NOT_FOUND\); it must be in the bundle, in its node_modules/,
  },
  {
    name: 'a package that CommonJS requires',
    files: { 'index.js': "require('no-such-package');\n" },
    type: 'commonjs',
    says: /imported: (DIR\/index\.js:1: )?Cannot find module 'no-such-package' \(MODULE_NOT_FOUND\)(, required by DIR\/index\.js)?; it must be in the bundle, in/,
  },
  {
    name: 'an import without its extension',
    files: { 'index.ts': "import './thing';\n", 'thing.ts': '' },
    says: /Cannot find module 'DIR\/thing' imported from DIR\/index\.ts \(ERR_MODULE_NOT_FOUND\); there is thing\.ts: an import names/,
  },
  {
    name: 'an import of the file that a compiler would make',
    files: { 'index.ts': "import './thing.js';\n", 'thing.ts': '' },
    says: /\(ERR_MODULE_NOT_FOUND\); there is thing\.ts: an import names the file as it is, with its extension$/,
  },
  {
    name: 'a file that is not there',
    files: { 'index.js': "import './thing.js';\n" },
    says: /imported: Cannot find module 'DIR\/thing\.js' imported from DIR\/index\.js \(ERR_MODULE_NOT_FOUND\); is the bundle complete\?$/,
  },
  {
    name: 'a throw as it is loaded, with its cause',
    files: { 'index.js': "const cause = new Error('why');\nthrow new Error('what', { cause });\n" },
    says: /imported: DIR\/index\.js:2: what: why$/,
    shows: /\[cause\]: Error: why\n +at file:\/\/DIR\/index\.js:1/,
  },
];

describe('load error', () => {
  for (const { name, files, type, says, shows } of CASES) {
    it(`tells of ${name}`, async (t) => {
      const { error, folder } = await failureOf(t, files, type);
      const plain = (text: string): string => text.replaceAll(folder, 'DIR');
      assert.equal(error.code, 'PLUGIN_ERR_LOAD');
      assert.match(plain(error.message), says);
      if (shows !== undefined) assert.match(plain(error.stack ?? ''), shows);
    });
  }

  it('is made of anything at all', () => {
    const hostile = new Proxy(new SyntaxError('x'), {
      get() {
        throw new Error('boom');
      },
    });
    for (const thrown of [null, undefined, 'text', {}, hostile, Object.assign(new Error('x'), { stack: 7, code: 8 })]) {
      assert.equal(loadError(thrown, 'file:///nowhere/index.js').code, 'PLUGIN_ERR_LOAD');
    }
  });
});
