// Runs in the plugin's thread.
/** The healthy neighbour: emits steadily, and says of each event when it was acknowledged and how long that took. */

import { definePlugin } from 'khook/plugin';

const SAY_EVERY_MS = 250;

let perSecond = 200;

// biome-ignore lint/style/noDefaultExport: the entry of a bundle
export default definePlugin<{ perSecond?: number }>({
  initialize(config) {
    perSecond = config.perSecond ?? perSecond;
  },
  start(ctx) {
    const acks: string[] = [];
    const from = performance.now();
    let sent = 0;
    const send = (): void => {
      // As many as are due: a timer that was late has to catch up, else a stall would look like a pause.
      const due = Math.min(((performance.now() - from) / 1000) * perSecond, sent + 50);
      for (; sent < due; sent += 1) {
        const at = performance.now();
        const event = {
          type: 'measured',
          resourceName: `thing-${sent % 100}`,
          message: `number ${sent}`,
          namespace: 'corpus',
        };
        ctx.emit(event).then(
          () => acks.push(`${Date.now()}:${(performance.now() - at).toFixed(1)}`),
          (error) => ctx.log.warn('refused', { error: String(error) }),
        );
      }
    };
    const timers = [
      setInterval(send, 1000 / perSecond),
      setInterval(() => {
        // A longer text would be cut.
        while (acks.length > 0) ctx.log.info('acks', { acks: acks.splice(0, 250).join(' ') });
      }, SAY_EVERY_MS),
    ];
    ctx.signal.addEventListener('abort', () => timers.forEach(clearInterval));
  },
});
