/** On the loopback port: what this host knows, for a bug report. */

import { json } from './reply.ts';
import type { Route } from './route.ts';
import type { HostOperations } from './view.ts';

export function bundleRoute({ bundle }: Pick<HostOperations, 'bundle'>): Route {
  return { method: 'GET', path: '/api/v1/bundle', answer: async () => json({ files: await bundle() }) };
}
