/** One event, the Hooks in force, what is wrong: for everybody on the read port, and on the loopback port for `khook explain` and `khook doctor`. */

import { json, refusal } from './reply.ts';
import type { Route } from './route.ts';
import type { HostView } from './view.ts';

export function lookupRoutes(view: Pick<HostView, 'event' | 'hooks' | 'doctor'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/events/:id',
      async answer({ params: { id = '' } }) {
        const event = await view.event(id);
        if (event !== null) return json(event);
        const error = `there is no event ${id.slice(0, 100)}: the id is wrong, or it is older than the trail keeps (settings.trail)`;
        return refusal(404, error);
      },
    },
    { method: 'GET', path: '/api/v1/hooks', answer: () => json({ hooks: view.hooks() }) },
    { method: 'GET', path: '/api/v1/doctor', answer: async () => json(await view.doctor()) },
  ];
}
