/** The dashboard: files as they are, from this package and from the two libraries they use. Read once, when first asked for. */

import { readFileSync } from 'node:fs';
import type { Reply } from './reply.ts';
import type { Route } from './route.ts';

const OWN = new URL('../dashboard/', import.meta.url);
/** From this origin, and nothing else: no page of another site, no inline script, no eval. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Path → the file behind it. */
const FILES: Readonly<Record<string, () => URL>> = {
  '/': () => new URL('index.html', OWN),
  ...Object.fromEntries(
    [
      ...['style.css', 'icon.svg', 'main.js', 'host.js', 'words.js', 'table.js', 'plots.js'],
      ...['plugins.js', 'events.js', 'hooks.js', 'flights.js', 'ledger.js', 'head.js'],
    ].map((name) => [`/dashboard/${name}`, () => new URL(name, OWN)]),
  ),
  '/dashboard/preact.js': () => new URL(import.meta.resolve('htm/preact/standalone')),
  '/dashboard/uplot.js': () => new URL(import.meta.resolve('uplot/dist/uPlot.iife.min.js')),
  '/dashboard/uplot.css': () => new URL(import.meta.resolve('uplot/dist/uPlot.min.css')),
};

export function dashboardRoutes(): readonly Route[] {
  return Object.entries(FILES).map(([path, locate]) => {
    let reply: Reply | null = null;
    return {
      method: 'GET',
      path,
      answer: () => {
        reply ??= readReply(path, locate());
        return reply;
      },
    };
  });
}

function readReply(path: string, file: URL): Reply {
  const type = TYPES[path === '/' ? 'html' : (path.split('.').at(-1) ?? '')] ?? 'application/octet-stream';
  return {
    status: 200,
    contentType: type,
    body: readFileSync(file),
    headers: { 'Content-Security-Policy': POLICY },
  };
}
