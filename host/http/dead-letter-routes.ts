/** The dead letters over HTTP: whoever may read looks at them on the metrics port; all of it stands on the loopback port. */

import { parseDeadLetterQuery } from './query.ts';
import { json, refusal } from './reply.ts';
import type { Route } from './route.ts';
import type { DeadLetterView, HostOperations } from './view.ts';

export function deadLetterRoutes(view: DeadLetterView): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/dead-letters',
      async answer({ query }) {
        const parsed = parseDeadLetterQuery(query);
        return 'error' in parsed ? refusal(400, parsed.error) : json(await view.deadLetters(parsed.query));
      },
    },
    {
      method: 'GET',
      path: '/api/v1/dead-letters/:id',
      answer: async ({ params: { id = '' } }) => json(await view.deadLetter(id)),
    },
  ];
}

export function deadLetterOperations(
  operations: Pick<HostOperations, 'retryDeadLetter' | 'dropDeadLetter'>,
): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/dead-letters/:id/retry',
      answer: async ({ params: { id = '' } }) => json({ ...(await operations.retryDeadLetter(id)), retried: true }),
    },
    {
      method: 'DELETE',
      path: '/api/v1/dead-letters/:id',
      answer: async ({ params: { id = '' } }) => json({ ...(await operations.dropDeadLetter(id)), dropped: true }),
    },
  ];
}
