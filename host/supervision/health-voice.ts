/** What the health watch of one run finds, passed on as supervision's events, as long as that run is the present one. */

import type { Emitter } from '../base/emitter.ts';
import type { SupervisionEvents } from './events.ts';
import type { HealthNews } from './health-watch.ts';

export interface HealthVoiceOptions {
  readonly plugin: string;
  readonly generation: number;
  readonly events: Emitter<SupervisionEvents>;
  readonly isCurrent: () => boolean;
}

export function healthVoice({ events, isCurrent, ...about }: HealthVoiceOptions): (news: HealthNews) => void {
  return (news) => {
    if (!isCurrent()) return;
    if ('detail' in news) events.emit(`plugin:${news.kind}`, { ...about, detail: news.detail });
    else events.emit(`plugin:${news.kind}`, about);
  };
}
