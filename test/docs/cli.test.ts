import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../host/cli.ts';
import type { Flag } from '../../host/commands/command.ts';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';

function rowOf({ name, short, value = '', default: fallback = '', description }: Flag): string[] {
  return [`--${name}${short === undefined ? '' : ` -${short}`}`, value, fallback, description];
}

describe('docs/cli.md', () => {
  const text = readDoc('cli.md');

  it('has a section for each command, and none for any other', () => {
    const documented = [...text.matchAll(/^## khook ([\w-]+(?: \w+)?)$/gm)].map(([, name]) => name);
    assert.deepEqual(
      documented,
      COMMANDS.map(({ name }) => name),
    );
  });

  for (const { name, flags } of COMMANDS) {
    it(`has one row for each flag of khook ${name}, in the words of its help, and none for any other`, () => {
      const rows = tableRows(section(text, `## khook ${name}`));
      assert.deepEqual(
        rows.map(([flag = '', ...rest]) => [flag.replaceAll('`', ''), ...rest]),
        flags.map(rowOf),
      );
    });
  }

  it('has one row for each exit code, and none for any other', () => {
    const documented = tableRows(section(text, '## Exit codes')).map(([code, name]) => `${name} ${code}`);
    assert.deepEqual(
      documented,
      Object.entries(EXIT_CODES).map(([name, code]) => `${name} ${code}`),
    );
  });
});
