/** Port 6060, loopback only: what changes something. */

import { parseLogLevel, parseTestEvent } from './admin-schema.ts';
import { bundleRoute } from './bundle-route.ts';
import { deadLetterOperations, deadLetterRoutes } from './dead-letter-routes.ts';
import { lookupRoutes, unknownPlugin } from './lookup-routes.ts';
import { loopbackGuard } from './loopback-guard.ts';
import type { ServerSurroundings } from './metrics-server.ts';
import { pprofRoutes } from './pprof-routes.ts';
import { recordingRoute } from './recording-route.ts';
import { json, type Reply, refusal } from './reply.ts';
import type { Route } from './route.ts';
import { HttpServer } from './server.ts';
import type { DeadLetterView, HostOperations, HostView } from './view.ts';

/** Where it listens, always: there is no setting that opens it to the network. */
export const ADMIN_HOST = '127.0.0.1';

type AdminView = Pick<HostView, 'plugins' | 'event' | 'hooks' | 'hook' | 'doctor'> & DeadLetterView;

export interface AdminServerOptions extends ServerSurroundings {
  readonly view: AdminView;
  readonly operations: HostOperations;
}

export function adminServer({ view, operations, ...surroundings }: AdminServerOptions): HttpServer {
  return new HttpServer({
    ...surroundings,
    name: 'admin',
    portSetting: '--admin-port',
    guard: loopbackGuard,
    routes: adminRoutes(view, operations),
  });
}

export function adminRoutes(view: AdminView, operations: HostOperations): readonly Route[] {
  const pluginFault = (name: string): Reply | null => {
    const plugins = view.plugins();
    return plugins.some((plugin) => plugin.name === name) ? null : unknownPlugin(name, plugins);
  };
  return [
    bundleRoute(operations),
    ...pprofRoutes(operations),
    ...lookupRoutes(view),
    ...deadLetterRoutes(view),
    ...deadLetterOperations(operations),
    {
      method: 'POST',
      path: '/api/v1/emit',
      readsBody: true,
      async answer({ body }) {
        const parsed = parseTestEvent(body);
        if ('error' in parsed) return refusal(400, parsed.error);
        return json(await operations.emit(parsed.value));
      },
    },
    {
      method: 'POST',
      path: '/api/v1/plugins/:name/restart',
      async answer({ params: { name = '' } }) {
        const unknown = pluginFault(name);
        if (unknown !== null) return unknown;
        await operations.restartPlugin(name);
        return json({ plugin: name, restarted: true });
      },
    },
    {
      method: 'PUT',
      path: '/api/v1/log-level',
      readsBody: true,
      answer({ body }) {
        const parsed = parseLogLevel(body);
        if ('error' in parsed) return refusal(400, parsed.error);
        const { level, plugin = null } = parsed.value;
        const unknown = plugin === null ? null : pluginFault(plugin);
        if (unknown !== null) return unknown;
        operations.setLogLevel(level, plugin);
        return json({ level, plugin });
      },
    },
    recordingRoute(operations),
  ];
}
