/** One event, the Hooks in force, the plugins, what is wrong: for everybody on the read port, and on the loopback port for khook's commands. */

import { json, type Reply, refusal } from './reply.ts';
import type { Route } from './route.ts';
import type { HostView, PluginSnapshot } from './view.ts';

export function lookupRoutes(
  view: Pick<HostView, 'event' | 'hooks' | 'hook' | 'plugins' | 'doctor'>,
): readonly Route[] {
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
    {
      method: 'GET',
      path: '/api/v1/hooks/:namespace/:name',
      async answer({ params: { namespace = '', name = '' } }) {
        const id = `${namespace}/${name}`;
        const hook = await view.hook(id);
        if (hook !== null) return json(hook);
        return refusal(404, `there is no Hook ${id.slice(0, 200)} in force; GET /api/v1/hooks lists those there are`);
      },
    },
    { method: 'GET', path: '/api/v1/plugins', answer: () => json({ plugins: view.plugins() }) },
    {
      method: 'GET',
      path: '/api/v1/plugins/:name',
      answer({ params: { name = '' } }) {
        const plugins = view.plugins();
        const plugin = plugins.find((each) => each.name === name);
        return plugin === undefined ? unknownPlugin(name, plugins) : json(plugin);
      },
    },
    { method: 'GET', path: '/api/v1/doctor', answer: async () => json(await view.doctor()) },
  ];
}

export function unknownPlugin(name: string, plugins: readonly PluginSnapshot[]): Reply {
  const names = plugins.map((plugin) => plugin.name).join(', ') || 'none';
  return refusal(404, `there is no plugin '${name.slice(0, 64)}', there are: ${names}`);
}
