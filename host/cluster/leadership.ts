/** Which of several khooks runs plugins and fires. An election implements it; nothing else in khook asks who leads. */

import type { Subscribable } from '../base/emitter.ts';

export interface LeadershipEvents {
  /** This khook leads now. `identity`: the name under which it was elected. */
  'leadership:acquired': { readonly identity: string };
  /** It must not fire any more, from this moment on; said before anybody else can have been elected. It does not come back in this process. */
  'leadership:lost': { readonly why: string };
}

export interface Leadership {
  readonly isLeader: boolean;
  readonly events: Subscribable<LeadershipEvents>;
}

/** Of a khook that is alone. */
export const ALWAYS_LEADING: Leadership = { isLeader: true, events: { on: () => () => undefined } };
