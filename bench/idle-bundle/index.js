// Does nothing: what it weighs is khook's.
import { definePlugin } from 'khook/plugin';

export default definePlugin({
  start() {
    return undefined;
  },
});
