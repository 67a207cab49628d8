// Runs in the plugin's thread.
/** Breaks as soon as its one event is acknowledged. */

import { definePlugin } from 'khook/plugin';

export default definePlugin({
  start(ctx) {
    ctx.emit({ type: 'measured', resourceName: 'thing', message: 'here again' }).then(() => {
      setImmediate(() => {
        throw new Error('a bug');
      });
    });
  },
});
