// Runs in the plugin's thread.
/** The same as index.js, in TypeScript: its types are taken out in its own thread. Breaks as soon as its one event is acknowledged. */

import { definePlugin, type PluginContext } from 'khook/plugin';

export default definePlugin({
  start(ctx: PluginContext): void {
    void ctx.emit({ type: 'measured', resourceName: 'thing', message: 'here again' }).then(() => {
      setImmediate(() => {
        throw new Error('a bug');
      });
    });
  },
});
