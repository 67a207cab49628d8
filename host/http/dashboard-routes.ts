/** The dashboard: files as they are, from this package and from the two libraries they use. Read once, when first asked for. */

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { type Reply, refusal } from './reply.ts';
import type { Route } from './route.ts';

const OWN = new URL('../dashboard/', import.meta.url);
/** From this origin, and nothing else: no page of another site, no inline script, no eval. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Of the page's own folder. */
const OWN_FILES = [
  ...['style.css', 'icon.svg', 'main.js', 'host.js', 'words.js', 'table.js', 'plots.js'],
  ...['plugins.js', 'events.js', 'hooks.js', 'hook-detail.js', 'findings.js', 'flights.js', 'ledger.js', 'head.js'],
];

/** Name → the file behind it; nothing else is handed out. */
const FILES: ReadonlyMap<string, () => URL> = new Map([
  ...OWN_FILES.map((name): [string, () => URL] => [name, () => new URL(name, OWN)]),
  ['preact.js', () => new URL(import.meta.resolve('htm/preact/standalone'))],
  ['uplot.js', () => new URL(import.meta.resolve('uplot/dist/uPlot.iife.min.js'))],
  ['uplot.css', () => new URL(import.meta.resolve('uplot/dist/uPlot.min.css'))],
]);

export function dashboardRoutes(): readonly Route[] {
  const replies = new Map<string, Reply>();
  const answer = (name: string, locate: () => URL): Reply => {
    const reply = replies.get(name) ?? readReply(name, locate());
    replies.set(name, reply);
    return reply;
  };
  return [
    { method: 'GET', path: '/', answer: () => answer('index.html', () => new URL('index.html', OWN)) },
    {
      method: 'GET',
      path: '/dashboard/:file',
      answer({ params: { file = '' } }) {
        const locate = FILES.get(file);
        return locate === undefined
          ? refusal(404, `the dashboard has no file ${file.slice(0, 100)}`)
          : answer(file, locate);
      },
    },
  ];
}

function readReply(name: string, file: URL): Reply {
  return {
    status: 200,
    contentType: TYPES[extname(name)] ?? 'application/octet-stream',
    body: readFileSync(file),
    headers: { 'Content-Security-Policy': POLICY },
  };
}
