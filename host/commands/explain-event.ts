/** What became of one event, in sentences: how it ended, what each Hook made of it, what came near, and what to do. Pure. */

import { hookId } from '../config/hook.ts';
import type { TrailStep } from '../http/view.ts';
import { eventNames } from '../replay/event-names.ts';
import type { Judged } from '../replay/judge.ts';
import type { ExplainScene } from '../replay/judged-memory.ts';
import { missOf, NearestMisses } from '../replay/nearest-misses.ts';
import type { EventRead } from '../replay/recording-line.ts';
import { disabledRemedy, invalidRemedy, type Remedy, unmappedRemedy } from '../replay/remedy.ts';
import { firingWords, type HookWords } from './explain-firing.ts';

export interface ExplainedEvent {
  readonly event: EventRead;
  readonly resourceName: string;
  readonly namespace: string;
  readonly outcome: string;
  readonly says: string;
  readonly fix: string;
  readonly paste?: string;
  readonly hooks: readonly HookWords[];
  readonly trail: readonly TrailStep[];
}

const MAX_MISSES = 5;
/** What has a fix at the event; its Hooks have nothing to add. */
const ENDS_BEFORE_HOOKS: ReadonlySet<string | null> = new Set(['invalid', 'unmapped', 'mapping_disabled', 'dropped']);

/** `judged`: by the rules in force now; null: it never reached the matcher. */
export function explainEvent(
  event: EventRead,
  judged: Judged | null,
  { scene, trail }: { readonly scene: ExplainScene; readonly trail: readonly TrailStep[] },
): ExplainedEvent {
  const fired = (event.firings ?? []).map((firing) =>
    firingWords(firing, { now: scene.now, judgedAt: event.judgedAt ?? event.receivedAt }),
  );
  const isFirst = ENDS_BEFORE_HOOKS.has(event.outcome);
  const misses = judged === null || isFirst ? [] : missWords(event, judged, scene);
  const end = endOf(event, { misses: misses.length, scene, trail });
  const names = eventNames(event);
  return {
    event,
    ...names,
    outcome: event.outcome ?? 'in flight',
    says: `${end.cause}${changedSince(event, judged)}`,
    fix: end.fix,
    ...(end.paste !== undefined && { paste: end.paste }),
    hooks: [...fired, ...misses],
    trail,
  };
}

function missWords(event: EventRead, judged: Judged, { rules, whyNot }: ExplainScene): HookWords[] {
  const recorded = new Set((event.firings ?? []).map(({ hook }) => hook));
  const firesNow = new Set(judged.firings.map(({ firing }) => firing.hook));
  const misses = new NearestMisses();
  for (const hook of rules.hooks) {
    const id = hookId(hook);
    if (recorded.has(id) || firesNow.has(id)) continue;
    const miss = missOf(event, judged, { hook, rules, whyNot });
    // Each Hook is told for itself.
    if (miss !== null) misses.add({ ...miss, key: id });
  }
  const late = [...firesNow]
    .filter((hook) => !recorded.has(hook) && !event.hasMoreFirings && !event.redacted)
    .map((hook) => ({ hook, says: `Hook ${hook} would fire by what is in force now; it has changed since`, fix: '' }));
  // Where something fired, a name that is only spelled alike is no answer to anything.
  const least = recorded.size > 0 ? 2 : 1;
  const near = misses.sorted
    .filter((miss) => miss.nearness >= least)
    .slice(0, MAX_MISSES)
    .map(({ key, cause, fix }) => ({ hook: key, says: `Hook ${key} did not fire: ${cause}`, fix }));
  return [...late, ...near];
}

function endOf(
  event: EventRead,
  { misses, scene, trail }: { misses: number; scene: ExplainScene; trail: readonly TrailStep[] },
): Remedy {
  const { rules } = scene;
  const { source, type, internalType, cause } = event;
  const { namespace } = eventNames(event);
  switch (event.outcome) {
    case 'invalid':
      return invalidRemedy([cause], event);
    case 'unmapped':
      return unmappedRemedy(event, rules);
    case 'mapping_disabled':
      return disabledRemedy({ source, type });
    case 'unmatched':
      return {
        cause: `it is mapped to ${internalType}, and no Hook in force fires for that${namespace === '' ? '' : ` in namespace ${namespace}`}${cause === '' ? '' : `: ${cause}`}`,
        fix:
          misses > 0
            ? ''
            : `write a Hook with eventType: ${internalType}${namespace === '' ? '' : ` in namespace ${namespace}`}`,
      };
    case 'filtered':
      return { cause: `every Hook that it matched has a filter that kept it out: ${cause}`, fix: '' };
    case 'duplicate':
      return { cause: 'everything that it matched had fired for the same lately', fix: '' };
    case 'delivered':
      return { cause: 'an agent has done what it was asked', fix: '' };
    case 'dead_lettered':
      return { cause: `${givenUp(cause)}: ${cause}`, fix: '' };
    case 'dropped':
      return droppedRemedy(source, cause);
    case null:
      return onItsWay(trail);
  }
}

/** An agent that failed in its task has taken it, and where there was no room none was asked. */
function givenUp(cause: string): string {
  if (cause.startsWith('HOST_ERR_AGENT_TASK')) return 'an agent took it, and did not bring it to an end';
  return cause.startsWith('HOST_ERR_OUTBOX_FULL') ? 'no agent was asked' : 'an agent did not take it';
}

function onItsWay(trail: readonly TrailStep[]): Remedy {
  const cause = 'it is on its way';
  switch (trail.at(-1)?.step) {
    case 'failed':
      return {
        cause: `${cause}; the last call of its agent failed, and is tried again`,
        fix: 'ask khook doctor what is wrong with that agent',
      };
    case 'called':
      return { cause: `${cause}; its agent was called, and has not answered yet`, fix: '' };
    case 'sent':
      return { cause: `${cause}; its agent works on it`, fix: '' };
    default:
      return { cause, fix: '' };
  }
}

function droppedRemedy(source: string, cause: string): Remedy {
  const reason = cause.trim();
  switch (reason) {
    case 'rate_limited':
      return {
        cause: `it was dropped before it was judged: plugin ${source} sent more than its rateLimit`,
        fix: `raise rateLimit.eventsPerSecond of plugin ${source} in plugins.yaml, or let it wait: rateLimit.whenFull: block`,
      };
    case 'queue_full':
      return {
        cause: `it was dropped before it was judged: more events of plugin ${source} waited than may`,
        fix: `let it wait in plugins.yaml: rateLimit.whenFull: block; or raise settings.bus.creditEvents, or settings.matcher.threads`,
      };
    case 'outbox_full':
      return {
        cause: 'it was dropped, because the outbox was full: agents take less than fires',
        fix: 'see what agents refuse with khook dead-letters list, and docs/outbox.md for its size',
      };
    case 'shutdown':
      return { cause: 'it was dropped, because khook was stopping', fix: '' };
    default:
      return { cause: `it was dropped: ${reason}`, fix: '' };
  }
}

/** Only where that is certain: what a filter saw may have been taken out of what is judged here. */
function changedSince({ outcome, redacted }: EventRead, judged: Judged | null): string {
  if (judged === null || outcome === null || redacted) return '';
  const isVerdict = outcome === 'unmatched' || outcome === 'filtered' || ENDS_BEFORE_HOOKS.has(outcome);
  if (!isVerdict || outcome === 'dropped' || judged.verdict === outcome) return '';
  return `; by what is in force now it would be ${judged.verdict === 'fires' ? 'fired for' : judged.verdict}`;
}
