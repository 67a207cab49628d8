import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Evidence, PluginEvidence } from '../../../host/doctor/evidence.ts';
import { examine } from '../../../host/doctor/examine.ts';
import type { FindingCode, Severity } from '../../../host/doctor/finding.ts';
import type { EventSnapshot } from '../../../host/http/view.ts';
import { OUTCOMES, type Outcome } from '../../../ipc/event.ts';
import { fixtureSpec } from '../../support/plugin-spec.ts';

const AT = Date.parse('2026-03-01T03:00:00.000Z');
const MIB = 1024 * 1024;
const SPEC = fixtureSpec('puppet');
const PLAN = { kind: 'run', name: 'puppet', version: '1.0.0', spec: SPEC } as const;

const PUPPET: PluginEvidence = {
  name: 'puppet',
  plan: PLAN,
  state: 'running',
  generation: 1,
  deniedNetwork: 0,
  reason: 'running',
  restarts: {},
  lastExit: null,
  nextStartAt: null,
  retryAt: null,
  since: AT - 60_000,
  staleness: null,
  unhealthy: null,
  heldBytes: 10 * MIB,
  limitBytes: 64 * MIB,
  cpuShare: 0.01,
  cpuLimit: 0.85,
  silentPorts: [],
  localPorts: [],
};

const WELL: Evidence = {
  at: AT,
  unready: [],
  plans: [PLAN],
  plugins: [PUPPET],
  flights: [],
  problems: [],
  brokenFiles: [],
  missingFiles: [],
  deferred: [],
  hooksFolder: null,
  rules: {
    mappings: [
      {
        eventSource: 'puppet',
        eventType: SPEC.eventTypes[0] ?? '',
        internalType: 'Happened',
        description: '',
        severity: 'info',
        tags: {},
        enabled: true,
      },
    ],
    hooks: [
      {
        namespace: 'default',
        name: 'h',
        eventConfigurations: [{ eventType: 'Happened', agent: { namespace: 'default', name: 'a' }, prompt: 'look' }],
        namespaces: [],
        suspend: false,
        origin: 'test',
      },
    ],
    controllerNamespace: 'default',
    pluginNamespaces: {},
    maxPromptLength: 1_000,
  },
  hookProblems: new Map(),
  lastFired: new Map(),
  filterSince: new Map(),
  events: [],
  ledger: {
    received: 0,
    restored: 0,
    inFlight: 0,
    outcomes: Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<Outcome, number>,
    residual: 0,
  },
  deadLetters: { total: 0, newest: null },
  agents: [],
  held: [],
  throttled: [],
  refused: [],
  outbox: { fault: null, isFull: false, firings: 0 },
  restart: null,
  cluster: {
    connectionProblem: null,
    hasHooks: true,
    watchNamespaces: [],
    hooksProblem: '',
    silentMs: 100,
    refused: [],
    reviewProblem: '',
    clockAheadMs: 300,
    isLeader: true,
    holder: 'me',
    leaseFault: null,
    unmounted: [],
  },
  host: {
    residentBytes: 200 * MIB,
    memoryLimitBytes: 1024 * MIB,
    disk: { directory: '/data', freeBytes: 900 * MIB, totalBytes: 1000 * MIB, freeFiles: 1_000, totalFiles: 10_000 },
    zombieThreads: 0,
    logLinesLost: 0,
  },
};

const AGENT = {
  agent: 'default/a',
  failures: 0,
  lastFailure: null,
  lastAcceptedAt: null,
  lastCallMs: null,
  waitingSince: null,
  isOpen: false,
};

function plugin(change: Partial<PluginEvidence>): Evidence {
  return { ...WELL, plugins: [{ ...PUPPET, ...change }] };
}

function cluster(change: Partial<Evidence['cluster']>): Evidence {
  return { ...WELL, cluster: { ...WELL.cluster, ...change } };
}

function host(change: Partial<Evidence['host']>): Evidence {
  return { ...WELL, host: { ...WELL.host, ...change } };
}

const LETTER = {
  id: 'm',
  hook: 'default/h',
  agent: 'kagent/a',
  resourceName: 'r',
  eventId: 'e',
  eventType: 'happened',
  namespace: '',
  code: 'HOST_ERR_AGENT_UNREACHABLE',
  reason: 'no answer',
  attempts: 3,
  firstAttemptAt: null,
  lastAttemptAt: null,
  acceptedAt: '2026-03-01T02:00:00.000Z',
  redrivenAt: null,
  diedAt: '2026-03-01T02:30:00.000Z',
};

const CASES: readonly (readonly [string, Evidence, FindingCode, Severity, RegExp])[] = [
  [
    'an outbox that cannot be written',
    { ...WELL, outbox: { fault: 'the disk is full', isFull: false, firings: 2 } },
    'STORAGE',
    'problem',
    /no event is acknowledged/,
  ],
  [
    'an outbox without room',
    { ...WELL, outbox: { fault: null, isFull: true, firings: 10_000 } },
    'STORAGE_FULL',
    'problem',
    /10000 firings/,
  ],
  [
    'a disk that is nearly full',
    host({
      disk: { directory: '/data', freeBytes: 10 * MIB, totalBytes: 1000 * MIB, freeFiles: 1_000, totalFiles: 10_000 },
    }),
    'DISK',
    'warning',
    /10 MB left of 1000 MB/,
  ],
  [
    'a ledger that does not add up',
    { ...WELL, ledger: { ...WELL.ledger, received: 7, residual: 2 } },
    'RESIDUAL',
    'problem',
    /2 events have no outcome/,
  ],
  ['a host near its limit', host({ residentBytes: 1000 * MIB }), 'HOST_MEMORY', 'warning', /98 % of the memory/],
  [
    'threads that do not end',
    host({ zombieThreads: 1 }),
    'HOST_THREADS',
    'warning',
    /1 thread was ended and is still there/,
  ],
  ['lines that were lost', host({ logLinesLost: 5 }), 'HOST_LOGS_LOST', 'warning', /5 lines/],
  [
    'a clock that is ahead',
    cluster({ clockAheadMs: -90_000 }),
    'CLOCK',
    'warning',
    /90 s ahead of that of the API server/,
  ],
  [
    'Hooks that are not known',
    cluster({ hooksProblem: 'no answer', silentMs: 240_000 }),
    'HOOKS_STALE',
    'problem',
    /4 min ago|not known/,
  ],
  [
    'a cluster that cannot be reached',
    cluster({ connectionProblem: 'no kubeconfig' }),
    'CONNECTION',
    'problem',
    /no connection/,
  ],
  ['a standby', cluster({ isLeader: false, holder: 'khook-2' }), 'STANDBY', 'note', /khook-2 leads/],
  [
    'a ConfigMap that is not mounted',
    cluster({ unmounted: [{ file: '/etc/p.yaml', configMap: 'kagent/plugin-config', difference: 'line 2' }] }),
    'CONFIG_NOT_MOUNTED',
    'warning',
    /kagent\/plugin-config/,
  ],
  [
    'a plugin near its CPU limit',
    plugin({ cpuShare: 0.8 }),
    'PLUGIN_CPU',
    'warning',
    /80 % of a core, its limit is 85 %/,
  ],
  [
    'a plugin near its memory limit',
    plugin({ heldBytes: 60 * MIB }),
    'PLUGIN_MEMORY',
    'warning',
    /60 MB .*94 % of its limit of 64 MB/,
  ],
  [
    'a plugin that only its own pod reaches',
    plugin({ localPorts: [8090] }),
    'PORT_LOCAL',
    'warning',
    /port 8090 of loopback only/,
  ],
  [
    'a crash loop',
    plugin({
      state: 'failed',
      restarts: { crash: 5 },
      retryAt: AT + 300_000,
      lastExit: { reason: 'crash', detail: 'a bug', at: AT - 1_000 },
    }),
    'PLUGIN_CRASH_LOOP',
    'problem',
    /failed 6 times, the last time with: a bug/,
  ],
  [
    'firings that were given up',
    { ...WELL, deadLetters: { total: 3, newest: LETTER } },
    'DEAD_LETTERS',
    'warning',
    /3 firings were given up, the newest 30 min ago/,
  ],
  [
    'an agent that takes long',
    { ...WELL, agents: [{ ...AGENT, waitingSince: AT - 20_000 }] },
    'AGENT_SLOW',
    'warning',
    /20 s/,
  ],
];

describe('the doctor', () => {
  it('knows of no reason only where it has none', () => {
    const unready = [{ name: 'hooks', ok: false, detail: 'not read yet' }];
    assert.deepEqual(
      examine({ ...WELL, unready }).map(({ code }) => code),
      ['NOT_READY'],
    );
    const codes = examine({ ...plugin({ silentPorts: [1] }), unready }).map(({ code }) => code);
    assert.deepEqual(codes, ['PORT_SILENT']);
  });

  it('finds nothing where nothing is wrong', () => assert.deepEqual(examine(WELL), []));

  for (const [name, evidence, code, severity, says] of CASES) {
    it(`finds ${name}`, () => {
      const [first, ...rest] = examine(evidence);
      assert.equal(first?.code, code);
      assert.equal(first.severity, severity);
      assert.match(first.problem, says);
      assert.notEqual(first.fix, '');
      assert.deepEqual(rest, []);
    });
  }

  it('tells causes before what follows from them, and problems before the rest', () => {
    const found = examine({
      ...cluster({ isLeader: false }),
      outbox: { fault: 'the disk is full', isFull: false, firings: 2 },
      deadLetters: { total: 1, newest: LETTER },
      agents: [{ ...AGENT, failures: 1, lastFailure: { code: 'HOST_ERR_AGENT_UNREACHABLE', message: 'no', at: AT } }],
    });
    assert.deepEqual(
      found.map(({ code }) => code),
      ['STORAGE', 'AGENT_UNREACHABLE', 'DEAD_LETTERS', 'STANDBY'],
    );
  });

  it('tells of a plugin that failed, also while it starts again', () => {
    const lastExit = { reason: 'failed_start', detail: 'no broker', at: AT - 1_000 };
    const [found] = examine(plugin({ state: 'starting', since: AT - 10, lastExit }));
    assert.equal(found?.code, 'PLUGIN_RESTARTING');
    assert.match(found.problem, /failed \(failed_start\): no broker; it starts again\./);
  });

  it('counts repeats by what they are about', () => {
    const receivedAt = new Date(AT).toISOString();
    const repeat = (id: string, resourceName: string, until: string): EventSnapshot => ({
      id,
      resourceName,
      receivedAt,
      plugin: 'puppet',
      type: SPEC.eventTypes[0] ?? '',
      internalType: 'Happened',
      namespace: '',
      message: 'it happened',
      outcome: 'duplicate',
      trail: [{ at: receivedAt, step: 'duplicate', detail: `of an earlier firing, until ${until}` }],
    });
    const found = examine({
      ...WELL,
      events: [repeat('e-1', 'nuts', 'A'), repeat('e-2', 'bolts', 'A'), repeat('e-3', 'nuts', 'B')],
    });
    assert.deepEqual(
      found.map(({ problem }) => problem.split(' repeated')[0]),
      ['2 events about nuts', '1 event about bolts'],
    );
  });

  it('says where in which file something is wrong, and whose it is', () => {
    const wrong = {
      code: 'HOST_ERR_CONFIG_VALUE',
      message: "required configuration 'url' is missing",
      fix: 'add it',
      file: '/etc/khook/plugins.yaml',
      line: 4,
      column: 13,
      path: 'url',
      subject: 'puppet',
    } as const;
    const [found] = examine({ ...WELL, problems: [wrong] });
    assert.equal(found?.problem, "puppet: url: required configuration 'url' is missing");
    assert.deepEqual(found?.evidence, ['/etc/khook/plugins.yaml:4:13 [HOST_ERR_CONFIG_VALUE]']);
  });

  it('gives limits in the words of plugins.yaml', () => {
    const [found] = examine(plugin({ heldBytes: 60 * MIB }));
    assert.match(found?.paste ?? '', /limits: \{ memoryMb: 128 \}/);
  });

  it('forgets what is long past', () => {
    const long = AT - 24 * 3_600_000;
    const failure = { code: 'HOST_ERR_AGENT_UNREACHABLE', message: 'no', at: long };
    const quiet = { ...WELL, agents: [{ ...AGENT, failures: 1, lastFailure: failure }] };
    assert.deepEqual(examine(quiet), []);
    assert.deepEqual(examine(plugin({ lastExit: { reason: 'crash', detail: 'a bug', at: long } })), []);
  });
});

/** Of an agent whose last call ended so: what the first finding says and advises. */
function agentAdvice(code: string, message: string): string {
  const lastFailure = { code, message: `The agent at http://a:1/x ${message}`, at: AT };
  const [first] = examine({ ...WELL, agents: [{ ...AGENT, failures: 1, lastFailure }] });
  return `${first?.code} ${first?.problem} ${first?.fix} ${first?.paste}`;
}

describe('what the doctor advises', () => {
  const UNREACHABLE = 'HOST_ERR_AGENT_UNREACHABLE';
  const REFUSED = 'HOST_ERR_AGENT_REFUSED';

  for (const [code, message, advice] of [
    [UNREACHABLE, 'could not be reached (ECONNREFUSED).', /cannot be reached\. Check that it runs/],
    [UNREACHABLE, 'could not be reached (ENOTFOUND).', /nobody knows the name of its host\. Correct the name/],
    [UNREACHABLE, 'could not be reached (UNABLE_TO_VERIFY_LEAF_SIGNATURE).', /NODE_EXTRA_CA_CERTS.*curl -si http:/],
    [UNREACHABLE, 'could not be reached (CERT_HAS_EXPIRED).', /renewed/],
    [UNREACHABLE, 'could not be reached (EPROTO).', /speaks no TLS there\. Write http:/],
    [UNREACHABLE, 'could not be reached (HPE_INVALID_CONSTANT).', /breaks them off/],
    [REFUSED, 'answered with HTTP 407: who.', /^AGENT_REFUSED .*does not let khook in/],
    [REFUSED, 'answered with HTTP 404: no.', /^AGENT_UNKNOWN .*kubectl get agents/],
    [REFUSED, 'answered with HTTP 503: later.', /^AGENT_FAILING /],
    [REFUSED, 'gave an answer that khook cannot use (x).', /not A2A.*curl -si http:\/\/a:1\/x$/],
    [REFUSED, 'answered with JSON-RPC error -32603: internal.', /refuses what khook sends/],
    ['HOST_ERR_AGENT_TASK', 'did not finish task t within 5 ms.', /in time\. .*settings\.delivery\.taskTimeout/],
  ] as const)
    it(`for an agent that ${message}`, () => assert.match(agentAdvice(code, message), advice));

  for (const [reviewProblem, advice] of [
    ['create x: Unauthorized', /renew the token.*kubectl auth whoami/],
    ['create x: https://a does not answer: unable to verify the first certificate', /certificate-authority/],
    ['create x: https://a does not answer: getaddrinfo ENOTFOUND a', /correct server in the kubeconfig/],
    ['create x: it answered 503', /kubectl get --raw/],
  ] as const)
    it(`for an API server: ${reviewProblem}`, () => {
      const [first] = examine(cluster({ reviewProblem }));
      assert.match(`${first?.fix} ${first?.paste}`, advice);
    });

  it('for a kubeconfig that cannot be used, and for none at all', () => {
    const fix = (connectionProblem: string): string => examine(cluster({ connectionProblem }))[0]?.fix ?? '';
    assert.match(fix('the kubeconfig /k has no current context'), /^Mend that kubeconfig/);
    assert.match(fix('not in a pod and no kubeconfig'), /^Set KUBECONFIG/);
  });

  it('for a volume that has space and no room for a file', () => {
    const disk = { directory: '/data', freeBytes: 900 * MIB, totalBytes: 1000 * MIB, freeFiles: 0, totalFiles: 9 };
    const outbox = { fault: 'no space is left', isFull: false, firings: 0 };
    assert.match(
      examine({ ...host({ disk }), outbox })[0]?.evidence.join() ?? '',
      /no room for one more file \(df -i\)/,
    );
  });

  it('for a khook without Hooks, by where it looks for them', () => {
    const none = { ...WELL, rules: { ...WELL.rules, hooks: [] } };
    const told = (evidence: Evidence): string => {
      const {
        evidence: seen = [],
        fix = '',
        paste = '',
      } = examine(evidence).find(({ code }) => code === 'HOOK_NONE') ?? {};
      return [...seen, fix, paste].join(' ');
    };
    assert.match(told(none), /kubectl get hooks -A$/);
    const elsewhere = { ...none, cluster: { ...WELL.cluster, watchNamespaces: ['shop'] } };
    assert.match(told(elsewhere), /^WATCH_NAMESPACE: only Hooks of shop count/);
    assert.match(
      told({ ...none, hooksFolder: { directory: '/h', passedOver: ['x.txt: no'] } }),
      /^in \/h: x\.txt.*ls -l \/h$/,
    );
  });

  it('for a host that was started again, for a while', () => {
    const restart = { why: 'was ended by SIGKILL', at: AT - 5_000, isPluginsApart: true };
    const [first] = examine({ ...WELL, restart });
    assert.equal(first?.code, 'HOST_RESTARTED');
    assert.match(first.problem, /started again 5 s ago: the one before was ended by SIGKILL/);
    assert.match(first.evidence.join(), /process of its own/);
    assert.match(first.paste, /dmesg/);
    assert.deepEqual(examine({ ...WELL, restart: { ...restart, at: AT - 3_600_000 } }), []);
  });
});
