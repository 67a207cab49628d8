/** `GET /api/v1/recording`: whole events and what became of them, for `khook record`. On the loopback port, because it can show secrets. */

import { refusal } from './reply.ts';
import type { Route } from './route.ts';
import { parseRecordingQuery } from './stream-query.ts';
import type { HostOperations } from './view.ts';

export function recordingRoute(operations: Pick<HostOperations, 'record'>): Route {
  return {
    method: 'GET',
    path: '/api/v1/recording',
    answer({ query }) {
      const parsed = parseRecordingQuery(query);
      return 'error' in parsed
        ? refusal(400, parsed.error)
        : { stream: (sink) => operations.record(parsed.query, sink) };
    },
  };
}
