/** `GET /api/v1/stream`: what happens, as it happens, redacted like every answer of the read API. */

import { refusal } from './reply.ts';
import type { Route } from './route.ts';
import { parseStreamQuery } from './stream-query.ts';
import type { HostView } from './view.ts';

export function streamRoute(view: Pick<HostView, 'stream'>): Route {
  return {
    method: 'GET',
    path: '/api/v1/stream',
    answer({ query }) {
      const parsed = parseStreamQuery(query);
      return 'error' in parsed ? refusal(400, parsed.error) : { stream: (sink) => view.stream(parsed.query, sink) };
    },
  };
}
