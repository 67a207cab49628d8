/** `khook explain` of events, against a running host: what is said for each way to end. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT_CODES } from '../../host/commands/exit-code.ts';
import { explain } from '../../host/commands/explain.ts';
import { runCommand } from '../support/command-run.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { explained, start, steady } from './explain-support.ts';

interface Snapshot {
  readonly id: string;
  readonly outcome: string | null;
  readonly trail: readonly { readonly step: string }[];
}

/** Outcome → what is said below the trail. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  delivered: [
    'TIME ID puppet:pod-restart (PodRestart) about shop/web',
    '  delivered: an agent has done what it was asked.',
    '  - Hook shop/h fired for shop/a, which was done after N s.',
  ],
  duplicate: [
    'TIME ID puppet:pod-restart (PodRestart) about shop/web',
    '  duplicate: everything that it matched had fired for the same lately.',
    '  - Hook shop/h matched, but had fired for the same before; it is silent for the same until TIME, in N min.',
  ],
  invalid: [
    'TIME ID mute:happened (Happened) about thing-0',
    '  invalid: the event is invalid: message cannot be empty.',
    '  → mend what mute sends; until then no Hook can see it.',
  ],
  dropped: [
    'TIME ID flood:happened about thing-19',
    '  dropped: it was dropped before it was judged: plugin flood sent more than its rateLimit.',
    '  → raise rateLimit.eventsPerSecond of plugin flood in plugins.yaml, or let it wait: rateLimit.whenFull: block.',
  ],
  unmapped: [
    'TIME ID puppet:not-mapped about shop/r',
    '  unmapped: no mapping knows puppet:not-mapped.',
    '  → add to event-mappings.yaml:',
    '      mappings:',
    '        - eventSource: puppet',
    '          eventType: not-mapped',
    '          internalType: NotMapped',
    '          severity: info',
  ],
  disabled: [
    'TIME ID puppet:switched-off (SwitchedOff) about shop/r',
    '  mapping_disabled: the mapping of puppet:switched-off is switched off.',
    '  → set enabled: true at eventSource puppet, eventType switched-off in event-mappings.yaml.',
  ],
  unmatched: [
    'TIME ID puppet:pod-pending (PodPending) about shop/r',
    '  unmatched: it is mapped to PodPending, and no Hook in force fires for that in namespace shop.',
    '  → write a Hook with eventType: PodPending in namespace shop.',
  ],
  elsewhere: [
    'TIME ID puppet:pod-restart (PodRestart) about bank/r',
    '  unmatched: it is mapped to PodRestart, and no Hook in force fires for that in namespace bank.',
    '  - Hook shop/h did not fire: the event was in namespace bank, the Hook sees shop.',
    '    → move the Hook to namespace bank, or to kagent with bank in spec.namespaces.',
    '  - Hook shop/other did not fire: it listens to pod-restarts, not to PodRestart; did you mean pod-restart? And the event was in namespace bank, the Hook sees shop.',
    '    → write eventType: pod-restart in place of pod-restarts.',
  ],
  filtered: [
    'TIME ID puppet:pod-restart (PodRestart) about shop/r',
    '  filtered: every Hook that it matched has a filter that kept it out: refused by the filter of Hook shop/h.',
    '  - Hook shop/h did not fire: its filter `event.reason != "Killing"` said no; event.reason is "Killing".',
    '    → change spec.filter of shop/h if this is to pass; khook replay tries it on recorded events.',
    '  - Hook shop/other did not fire: it listens to pod-restarts, not to PodRestart; did you mean pod-restart?',
    '    → write eventType: pod-restart in place of pod-restarts.',
  ],
  dead: [
    'TIME ID puppet:pod-restart (PodRestart) about shop/bad',
    "  dead_lettered: an agent did not take it: HOST_ERR_AGENT_REFUSED: The agent at http://AGENT answered with HTTP 404: no such agent. Check the Hook's agentRef and that this agent exists.",
    '  - Hook shop/h fired for shop/a, and was given up; it is dead letter MESSAGE.',
    '    → look at it with khook dead-letters show MESSAGE; when its agent works, khook dead-letters retry MESSAGE.',
  ],
  flying: [
    'TIME ID puppet:pod-restart (PodRestart) about shop/slow',
    '  in flight: it is on its way; its agent works on it.',
    '  - Hook shop/h fired for shop/a, which has not done it yet.',
  ],
};

describe('khook explain EVENT-ID', () => {
  it('says what became of it, for each way to end', async (t) => {
    const agent = await MisbehavingAgent.start({
      states: ['working'],
      onSend: ({ text }) => {
        if (text.includes('slow')) return { kind: 'works' };
        return text.includes('bad') ? { kind: 'says', status: 404, body: 'no such agent' } : { kind: 'message' };
      },
    });
    t.after(() => agent.stop());
    const host = await start(t, {
      hooks: {
        h: { eventType: 'PodRestart', filter: 'event.reason != "Killing"' },
        other: { eventType: 'pod-restarts' },
      },
      plugins: [
        { name: 'mute', config: { count: 1, messageLength: 0 } },
        {
          name: 'flood',
          config: { count: 20 },
          rateLimit: { eventsPerSecond: 1, burst: 1, whenFull: 'drop_newest' },
        },
      ],
      flags: ['--agent-url', agent.url],
    });
    const of = async (id: string): Promise<readonly string[]> => {
      const { code, stdout, stderr } = await explained(host, id);
      assert.equal(code, EXIT_CODES.OK, stderr);
      return steady(stdout, id);
    };
    const say = async (event: Record<string, unknown>): Promise<readonly string[]> => {
      const { id } = await host.emit({ type: 'pod-restart', namespace: 'shop', ...event });
      await eventually(async () => {
        const { outcome, trail } = await host.json<Snapshot>(`/api/v1/events/${id}`);
        return outcome !== null || (event.resourceName === 'slow' && trail.some(({ step }) => step === 'sent'));
      }, 20_000);
      return of(id);
    };
    const from = async (plugin: string, outcome: string): Promise<readonly string[]> => {
      const { id } = await eventually(async () => {
        const { events } = await host.json<{ events: Snapshot[] }>(
          `/api/v1/events?plugin=${plugin}&outcome=${outcome}`,
        );
        return events[0];
      }, 20_000);
      return of(id);
    };
    const said: Record<string, readonly string[]> = {};
    said.delivered = await say({ resourceName: 'web' });
    said.duplicate = await say({ resourceName: 'web' });
    said.invalid = await from('mute', 'invalid');
    said.dropped = await from('flood', 'dropped');
    said.unmapped = await say({ type: 'not-mapped' });
    said.disabled = await say({ type: 'switched-off' });
    said.unmatched = await say({ type: 'pod-pending' });
    said.elsewhere = await say({ namespace: 'bank' });
    said.filtered = await say({ reason: 'Killing' });
    said.dead = await say({ resourceName: 'bad' });
    said.flying = await say({ resourceName: 'slow' });
    assert.deepEqual(said, SAID);
    const { id } = await host.emit({ type: 'pod-restart', namespace: 'mill' });
    const { stdout } = await explained(host, id);
    assert.match(stdout, /\n {2}[\d:.]{12} received: from plugin puppet\n {2}[\d:.]{12} mapped: to PodRestart\n/);
    assert.deepEqual(host.grep(/Events are being recorded/), [], 'whoever looks once records nothing');
    const last = await explained(host, '--last', '3', '--json');
    assert.deepEqual(
      last.json<{ outcome: string }>().map(({ outcome }) => outcome),
      ['dead_lettered', 'in flight', 'unmatched'],
    );
  });
});

describe('khook explain', () => {
  it('refuses a wrong command line, and says what to do about an unknown id and a host that is not there', async (t) => {
    const host = await start(t, { hooks: {} });
    const cases: readonly (readonly [args: string[], code: number, words: RegExp])[] = [
      [[], EXIT_CODES.USAGE, /name an event id, --last N or --hook NS\/NAME/],
      [['x', '--last', '2'], EXIT_CODES.USAGE, /an event id stands alone/],
      [['--last', '0'], EXIT_CODES.USAGE, /--last must be a whole number/],
      [['--last', '1', '--outcome', 'filterd'], EXIT_CODES.USAGE, /did you mean 'filtered'\?/],
      [['--hook', 'h'], EXIT_CODES.USAGE, /--hook must be NAMESPACE\/NAME, got 'h'/],
      [
        ['puppet-0-1'],
        EXIT_CODES.FAILED,
        /older than the trail keeps \(settings\.trail\)\nSee what is remembered with/,
      ],
      [['--last', '5'], EXIT_CODES.OK, /no such event is remembered/],
    ];
    for (const [args, code, words] of cases) {
      const run = await explained(host, ...args);
      assert.equal(run.code, code, args.join(' '));
      assert.match(run.stderr, words);
    }
    const gone = ['--url', 'http://127.0.0.1:1'];
    for (const args of [['x'], ['--last', '1'], ['--hook', 'a/b']]) {
      const run = await runCommand(explain, [...args, ...gone]);
      assert.deepEqual([run.code, run.stdout], [EXIT_CODES.UNREACHABLE, '']);
      assert.match(run.stderr, /no host answers at http:\/\/127\.0\.0\.1:1: /);
    }
  });
});
