/** Port 8081: `/healthz` (restart me) and `/readyz` (send me traffic), in the form of the Kubernetes API server. */

import { messageOf } from '../../ipc/errors.ts';
import type { ServerSurroundings } from './metrics-server.ts';
import { type Reply, text } from './reply.ts';
import { HttpServer } from './server.ts';
import type { Check, HostView } from './view.ts';

export function healthServer(view: Pick<HostView, 'healthz' | 'readyz'>, surroundings: ServerSurroundings): HttpServer {
  return new HttpServer({
    ...surroundings,
    name: 'health',
    portSetting: 'HEALTH_PORT or --health-port',
    routes: [
      {
        method: 'GET',
        path: '/healthz',
        answer: ({ query }) => report('healthz', () => view.healthz(), query.has('verbose')),
      },
      {
        method: 'GET',
        path: '/readyz',
        answer: ({ query }) => report('readyz', () => view.readyz(), query.has('verbose')),
      },
    ],
  });
}

/** 200 `ok`, or 503 with each check: a failing one is named also to those who did not ask. */
function report(name: string, read: () => readonly Check[], isVerbose: boolean): Reply {
  let checks: readonly Check[];
  try {
    checks = read();
  } catch (error) {
    checks = [{ name: 'checks', ok: false, detail: messageOf(error) }];
  }
  const isOk = checks.every((check) => check.ok);
  if (isOk && !isVerbose) return text('ok');
  const lines = checks.map((check) => (check.ok ? `[+]${check.name} ok` : `[-]${check.name} failed: ${check.detail}`));
  lines.push(`${name} check ${isOk ? 'passed' : 'failed'}`);
  return text(`${lines.join('\n')}\n`, isOk ? 200 : 503);
}
