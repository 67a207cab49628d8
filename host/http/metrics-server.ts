/** Port 8080: `/metrics`, the read-only API and the dashboard over it. Everything here is a snapshot, already redacted. */

import { dashboardRoutes } from './dashboard-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { lookupRoutes } from './lookup-routes.ts';
import { parseEventQuery, parsePluginQuery } from './query.ts';
import { json, refusal } from './reply.ts';
import type { Route } from './route.ts';
import { HttpServer, type HttpServerOptions } from './server.ts';
import { streamRoute } from './stream-route.ts';
import type { HostView } from './view.ts';

export type ServerSurroundings = Pick<HttpServerOptions, 'clock' | 'onError' | 'graceMs'>;

export function metricsServer(view: HostView, surroundings: ServerSurroundings): HttpServer {
  return new HttpServer({
    ...surroundings,
    name: 'metrics',
    portSetting: 'METRICS_PORT or --metrics-port',
    routes: metricsRoutes(view),
  });
}

/** The shapes are a contract: docs/api.md. */
export function metricsRoutes(view: HostView): readonly Route[] {
  return [
    ...dashboardRoutes(),
    { method: 'GET', path: '/api/v1/status', answer: () => json(view.status()) },
    { method: 'GET', path: '/api/v1/history', answer: () => json(view.history()) },
    {
      method: 'GET',
      path: '/metrics',
      async answer() {
        const { contentType, body } = await view.metrics();
        return { status: 200, contentType, body };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/events',
      async answer({ query }) {
        const parsed = parseEventQuery(query);
        if ('error' in parsed) return refusal(400, parsed.error);
        return json({ events: await view.events(parsed.query) });
      },
    },
    ...lookupRoutes(view),
    ...deadLetterRoutes(view),
    { method: 'GET', path: '/api/v1/ledger', answer: () => json(view.ledger()) },
    {
      method: 'GET',
      path: '/api/v1/flight-records',
      answer({ query }) {
        const parsed = parsePluginQuery(query);
        return 'error' in parsed
          ? refusal(400, parsed.error)
          : json({ flightRecords: view.flightRecords(parsed.plugin) });
      },
    },
    streamRoute(view),
  ];
}
