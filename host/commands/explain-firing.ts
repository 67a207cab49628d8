/** What became of one firing, in a sentence, and what to do about it. Pure. */

import type { FiringRead } from '../replay/recording-line.ts';
import { untilWords } from '../replay/until-words.ts';

/** A sentence about one Hook. */
export interface HookWords {
  readonly hook: string;
  readonly says: string;
  /** What to do; empty: nothing. */
  readonly fix: string;
}

export interface FiringTimes {
  /** By the host's clock, as all times: Unix milliseconds. */
  readonly now: number;
  readonly judgedAt: number;
}

export function firingWords(firing: FiringRead, times: FiringTimes): HookWords {
  const { hook, configuration, decision, of, until, reason } = firing;
  const name = `Hook ${hook}${configuration === 0 ? '' : `[${configuration}]`}`;
  const told = (says: string, fix = ''): HookWords => ({ hook, says: `${name} ${says}`, fix });
  switch (decision) {
    case 'pending':
      return told('matched; whether it goes out is not decided yet');
    case 'dropped':
      return told(`matched, but was dropped: ${reason ?? 'no reason is known'}`);
    case 'duplicate': {
      if (of !== undefined) return told(`matched, but repeats event ${of}`);
      const end = until === undefined ? '' : `; it is silent for the same until ${untilWords(until, times.now)}`;
      return told(`matched, but had fired for the same before${end}`);
    }
    case 'accepted': {
      const { says, fix = '' } = sentWords(firing, times);
      return told(says, fix);
    }
  }
}

function sentWords(
  { agent, outcome, endedAt, held, budget, digest, messageId = '' }: FiringRead,
  { judgedAt }: FiringTimes,
): { readonly says: string; readonly fix?: string } {
  const message = digest ?? messageId;
  const fired = `fired for ${agent}${digest === undefined ? '' : ` with digest ${digest}`}`;
  const took = endedAt === undefined ? '' : ` after ${(Math.max(0, endedAt - judgedAt) / 1_000).toFixed(1)} s`;
  switch (outcome) {
    case undefined:
      if (held !== true || digest !== undefined) return { says: `${fired}, which has not done it yet` };
      return {
        says: `is over its budget of ${budget?.callsPerHour ?? 0} calls an hour; it goes out with a digest`,
        fix: 'raise spec.callsPerHour if each is to have a call of its own',
      };
    case 'delivered':
      return { says: `${fired}, which was done${took}` };
    case 'dead_lettered':
      return {
        says: `${fired}, and was given up; it is dead letter ${message}`,
        fix: `look at it with khook dead-letters show ${message}; when its agent works, khook dead-letters retry ${message}`,
      };
    default:
      return { says: `${fired}, and ended as ${outcome}${took}` };
  }
}
