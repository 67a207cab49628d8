/** What the pages for operators name exists. That the commands print what they say is shown by test/e2e/guide*.test.ts and test/cluster/guide.test.ts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { HOST_ERRORS } from '../../host/base/errors.ts';
import { COMMANDS } from '../../host/cli.ts';
import type { Command } from '../../host/commands/command.ts';
import { EXIT_REASONS } from '../../host/sandbox/exit.ts';
import { CUSTOM_PREFIX, METRICS } from '../../host/telemetry/metric-catalogue.ts';
import { IPC_ERRORS } from '../../ipc/errors.ts';
import { OUTCOMES } from '../../ipc/event.ts';
import { codeBlocks, readDoc, section, tableRows } from '../support/docs.ts';
import { missingHelm, render } from '../support/helm.ts';

const PAGES = ['troubleshooting.md', 'operations.md', 'migration.md', 'getting-started.md'];
const CODES = [...Object.keys(HOST_ERRORS), ...Object.keys(IPC_ERRORS)];
const FENCED = /^```[\s\S]*?^```$/gm;
const api = readDoc('api.md');
const logs = readDoc('logs.md');
const VALUES = tableRows(section(readDoc('kubernetes-install.md'), '## Values')).map(([path = '']) => path);
const VALUE_GROUPS = new Set(VALUES.filter((path) => path.includes('.')).map((path) => path.split('.')[0] ?? ''));
const configuration = readDoc('configuration.md');

/** Without the space of a list that a block stands in. */
function flush(text: string): string {
  return text.replace(/^ +```[\s\S]*?```$/gm, (block) => block.replace(/^ +/gm, ''));
}

/** Command lines in blocks and in the text. */
function commandLines(text: string): string[] {
  const blocks = codeBlocks(flush(text), 'bash').join('\n').split('\n');
  const inline = [
    ...flush(text)
      .replace(FENCED, '')
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, code = '']) => code);
  return [...blocks, ...inline].map((line) => line.replace(/\s# .*/, ''));
}

/** `khook emit …` → its words; not `helm install khook deploy/…`, not `get lease khook`. */
function khookCalls(text: string): string[][] {
  return commandLines(text).flatMap((line) => {
    const call = /(?:scripts\/|(?<![\w/.-]))khook (?:-- )?([a-z][a-z-]*(?![\w/]).*)$/.exec(line)?.[1];
    return call === undefined ? [] : [call.split(/\s*[|>;]\s*/)[0]?.split(/\s+/) ?? []];
  });
}

function commandOf(words: readonly string[]): Command | undefined {
  return COMMANDS.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '));
}

/** `METHOD /path` of docs/api.md, which is held against the servers. */
function routes(port: string): RegExp[] {
  return [...section(api, `## Port ${port}`).matchAll(/^### `(\w+ [^`]+)`$/gm)].map(
    ([, route = '']) => new RegExp(`^${route.replace(/:\w+/g, '[^/]+')}$`),
  );
}

function anchors(text: string): string[] {
  const words = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
  return [...text.replace(FENCED, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => words(heading));
}

function firstCells(heading: string): (string | undefined)[] {
  return tableRows(section(configuration, heading)).map(([key]) => key);
}

for (const page of PAGES) {
  describe(`docs/${page}`, () => {
    const text = readDoc(page);

    it('names commands and flags of khook that there are', () => {
      const calls = khookCalls(text);
      assert.ok(calls.length > 0);
      for (const words of calls) {
        const command = commandOf(words);
        assert.ok(command, `khook ${words.join(' ')}`);
        for (const word of words.filter((each) => /^--?[a-z]/.test(each))) {
          const isKnown = command.flags.some(({ name, short }) =>
            [`--${name}`, `-${short}`].includes(word.split('=')[0] ?? ''),
          );
          assert.ok(isKnown, `khook ${command.name} ${word}`);
        }
      }
    });

    it('names paths of the ports that there are', () => {
      const called = [...text.matchAll(/(?:-X (\w+) )?'?(?:http:\/\/)?localhost:(8080|8081|6060)(\/[\w/.-]*)/g)];
      for (const [call, method = 'GET', port = '', path = ''] of called) {
        assert.ok(
          routes(port).some((route) => route.test(`${method} ${path}`)),
          call,
        );
      }
      const named = [...text.matchAll(/`((?:GET|POST|PUT|DELETE) \/[^`?]*)/g)].map(([, route = '']) => route);
      const all = ['8080', '8081', '6060'].flatMap(routes);
      for (const route of named)
        assert.ok(
          all.some((known) => known.test(route)),
          route,
        );
    });

    it('names metrics and error codes that there are', () => {
      for (const [name] of text.matchAll(/(?<![\w/])khook_\w+/g)) {
        const isBeginning = name.endsWith('_');
        const isKnown = METRICS.some((metric) => (isBeginning ? metric.name.startsWith(name) : metric.name === name));
        assert.ok(isKnown || name.startsWith(CUSTOM_PREFIX), name);
      }
      for (const [code] of text.matchAll(/\b(?:HOST|IPC|PLUGIN|EVENT)_ERR_[A-Z_]*[A-Z]\b/g)) {
        assert.ok(CODES.includes(code), code);
      }
    });

    it('names keys of plugins.yaml that there are, and shows YAML that can be read', () => {
      const [settings, entry] = [firstCells('### Settings'), firstCells('### Entry')];
      for (const [, key = ''] of text.matchAll(/`settings\.([\w.]+)`/g)) assert.ok(settings.includes(key), key);
      for (const [, key = ''] of text.matchAll(/`((?:limits|rateLimit|permissions)\.[\w.]+)/g)) {
        assert.ok(entry.includes(key), key);
      }
      for (const block of codeBlocks(text, 'yaml')) {
        for (const document of block.split(/^---$/m)) assert.ok(parse(document), block);
      }
    });

    it('names values of the chart that there are', () => {
      // In the first column of the tables of migration.md stand those of another chart.
      const own = page === 'migration.md' ? text.replace(/^\| [^|]* \|/gm, '') : text;
      for (const [, path = ''] of own.matchAll(/`([a-z][A-Za-z]*(?:\.[A-Za-z]+)+)`/g)) {
        if (VALUE_GROUPS.has(path.split('.')[0] ?? '')) assert.ok(VALUES.includes(path), path);
      }
    });

    it('quotes lines of the log that docs/logs.md has', () => {
      for (const [, phrase = ''] of text.replace(FENCED, '').matchAll(/`([A-Z][^`\n]*? [^`\n]*…[^`\n]*)`/g)) {
        assert.ok(logs.includes(phrase.replace(/…$/, '')), phrase);
      }
    });

    it('links to pages and headings that there are', () => {
      for (const [, file = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
        const target = file === '' ? text : readDoc(file);
        if (anchor !== undefined) assert.ok(anchors(target).includes(anchor), `${file}#${anchor}`);
      }
    });
  });
}

describe('docs/troubleshooting.md', () => {
  const text = readDoc('troubleshooting.md');

  it('leads from each error code to a section', () => {
    const rows = tableRows(section(text, '## By error code'));
    const listed = rows.flatMap(([codes = '']) => codes.split(' ').map((code) => code.replaceAll('`', '')));
    assert.deepEqual(listed.sort(), CODES.sort());
    for (const [codes = '', where = ''] of rows) assert.match(where, /^\[.+\]\(#[\w-]+\)$/, codes);
  });

  it('has one row for each outcome of an event and for each end of a run, and none for any other', () => {
    const keys = (heading: string): string[] =>
      tableRows(section(text, heading)).flatMap(([key = '']) => [...key.matchAll(/[a-z_]{4,}/g)].map(([word]) => word));
    const outcomes = keys('## Events come, no Hook fires').filter((key) => !['listed', 'null'].includes(key));
    assert.deepEqual(outcomes.sort(), OUTCOMES.filter((outcome) => outcome !== 'delivered').sort());
    const reasons = keys('## A plugin crashes or is restarted again and again');
    assert.deepEqual(reasons.sort(), EXIT_REASONS.filter((reason) => reason !== 'stopped').sort());
  });

  it('answers with each grep of docs/logs.md', () => {
    const unquoted = (line: string): string => line.replaceAll('"', '');
    const commands = unquoted(commandLines(text).join('\n'));
    const greps = codeBlocks(section(logs, '## Greps'), 'bash').join('\n').split('\n');
    for (const grep of greps.filter((line) => line.startsWith('grep'))) {
      assert.match(
        commands,
        new RegExp(`deployment/khook \\| ${unquoted(grep).replace(/[.*\\|]/g, '\\$&')}$`, 'm'),
        grep,
      );
    }
  });
});

describe('alerts in docs/operations.md', { skip: missingHelm() }, () => {
  it('are those of the chart with their severity, one row for each', async () => {
    const objects = await render({ metrics: { prometheusRule: { enabled: true } } });
    const rule = objects.find(({ kind }) => kind === 'PrometheusRule');
    assert.ok(rule);
    const { groups } = rule.spec as {
      groups: { rules: { alert: string; labels: { severity: string } }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules).map(({ alert, labels }) => `${alert} ${labels.severity}`);
    const rows = tableRows(section(readDoc('operations.md'), '## Alerts'));
    assert.deepEqual(rows.map(([alert, severity]) => `${alert} ${severity}`).sort(), rules.sort());
  });
});
