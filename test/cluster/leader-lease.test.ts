import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { LEASE_NAME } from '../../host/cluster/election.ts';
import type { LeaseTiming } from '../../host/cluster/lease-policy.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { allowElection, type CandidateOptions, LeaseCandidate } from '../support/cluster/lease-candidate.ts';
import { type LeadLine, machineNow, type ProcessOptions } from '../support/cluster/lease-process.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';

/** For what is to be lost: soon. */
const QUICK: LeaseTiming = { durationMs: 4_000, renewDeadlineMs: 2_500, retryMs: 400, attemptMs: 800 };
/** For what is to be kept: also on a busy machine. */
const PATIENT: LeaseTiming = { durationMs: 60_000, renewDeadlineMs: 50_000, retryMs: 400, attemptMs: 1_500 };
const LOOK_MS = 2;
const WAIT_MS = 30_000;

describe('leader lease on a real API server', { skip: missingTools() }, () => {
  let plane: ControlPlane;
  let namespaces = 0;
  before(async () => {
    plane = await ControlPlane.start();
  });
  after(() => plane?.stop());

  /** A namespace and an account of their own for each test. */
  async function electorate(): Promise<{ namespace: string; token: string; allow: () => Promise<void> }> {
    namespaces += 1;
    const namespace = `election-${namespaces}`;
    await plane.createNamespace(namespace);
    const account = await ServiceAccount.of(plane, { namespace, name: 'khook' });
    const allow = (): Promise<void> => allowElection(plane, namespace);
    return { namespace, token: await account.token(), allow };
  }

  async function candidates(t: TestContext, timing: LeaseTiming, count: number): Promise<Election> {
    const { namespace, token, allow } = await electorate();
    await allow();
    const options = { namespace, token, timing };
    const all = await Promise.all(
      Array.from({ length: count }, (_, n) => LeaseCandidate.start(plane, { ...options, identity: `c${n}` })),
    );
    return new Election(t, all, options);
  }

  async function spec(namespace: string): Promise<Record<string, unknown>> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${LEASE_NAME}`;
    return (await plane.admin.get(path)).spec as Record<string, unknown>;
  }

  it('is held by one of three, in the words of client-go', async (t) => {
    const election = await candidates(t, QUICK, 3);
    const leader = await election.leader();
    const followers = election.all.filter((each) => each !== leader);
    await eventually(() => followers.every(({ lease }) => lease.holder === leader.identity));
    const { holderIdentity, leaseDurationSeconds, leaseTransitions, renewTime } = await spec(election.namespace);
    assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], [leader.identity, 4, 0]);
    await eventually(async () => (await spec(election.namespace)).renewTime !== renewTime);
    const shown = await plane.kubectl(['-n', election.namespace, 'get', 'lease', LEASE_NAME, '--no-headers']);
    assert.match(shown.stdout, new RegExp(`^khook\\s+${leader.identity}\\s`));
  });

  it('passes on at once when it is released', async (t) => {
    const election = await candidates(t, PATIENT, 2);
    const first = await election.leader();
    await first.lease.release();
    const second = await election.leader();
    assert.notEqual(second, first);
    assert.deepEqual(first.said, ['acquired nobody', 'released']);
    assert.deepEqual(second.said, ['acquired released']);
  });

  it('passes on when its leader is cut off by a partition, which has stopped by then for good', async (t) => {
    const election = await candidates(t, QUICK, 3);
    const first = await election.leader();
    first.proxy.partition();
    await eventually(() => !first.lease.isLeader, WAIT_MS);
    const second = await election.leader();
    assert.match(first.said.at(-1) ?? '', /^lost the lease could not be renewed for 2.5 s/);
    assert.deepEqual(second.said, ['acquired expired']);
    first.proxy.heal();
    // The successor's next renewals leave no doubt.
    const { renewTime } = await spec(election.namespace);
    await eventually(async () => (await spec(election.namespace)).renewTime !== renewTime);
    assert.deepEqual([first.lease.isLeader, second.lease.isLeader], [false, true]);
  });

  it('stays with a leader whose connection goes half-open: it renews over another one', async (t) => {
    const election = await candidates(t, PATIENT, 2);
    const leader = await election.leader();
    const { renewTime } = await spec(election.namespace);
    const connections = leader.proxy.accepted;
    leader.proxy.abandon();
    await eventually(async () => (await spec(election.namespace)).renewTime !== renewTime, WAIT_MS);
    await eventually(() => leader.proxy.accepted > connections);
    assert.equal(leader.lease.isLeader, true);
    assert.equal(election.acquired, 1);
  });

  it('stays with its leader while the API server is restarted, and while it is killed', async (t) => {
    const election = await candidates(t, PATIENT, 3);
    const leader = await election.leader();
    for (const how of ['stop', 'kill'] as const) {
      await plane.restart(how);
      const { renewTime } = await spec(election.namespace);
      await eventually(async () => (await spec(election.namespace)).renewTime !== renewTime, WAIT_MS);
      assert.equal(leader.lease.isLeader, true);
    }
    assert.equal(election.acquired, 1);
    await eventually(() => leader.said.at(-1) === 'recovered');
  });

  it('is held by nobody while the API server does not answer, and by one again when it does', async (t) => {
    const election = await candidates(t, QUICK, 3);
    const first = await election.leader();
    plane.apiServer.freeze();
    t.after(() => plane.apiServer.thaw());
    await eventually(() => !first.lease.isLeader, WAIT_MS);
    assert.equal(election.all.filter(({ lease }) => lease.isLeader).length, 0);
    plane.apiServer.thaw();
    assert.notEqual(await election.leader(), first);
  });

  it('stays with its leader when somebody deletes it, and is gone when somebody gives it away', async (t) => {
    const election = await candidates(t, PATIENT, 2);
    const leader = await election.leader();
    await eventually(() => election.all.every(({ lease }) => lease.holder === leader.identity));
    const inNamespace = ['-n', election.namespace];
    assert.equal((await plane.kubectl([...inNamespace, 'delete', 'lease', LEASE_NAME])).code, 0);
    await eventually(async () => (await spec(election.namespace)).holderIdentity === leader.identity);
    assert.equal(election.acquired, 1);
    const patch = ['patch', 'lease', LEASE_NAME, '--type=merge', '-p', '{"spec":{"holderIdentity":"mallory"}}'];
    assert.equal((await plane.kubectl([...inNamespace, ...patch])).code, 0);
    await eventually(() => leader.said.at(-1) === 'lost the lease was taken by mallory');
  });

  it('is not to be had without the rights, which the candidate names, and is taken as soon as they are given', async (t) => {
    const { namespace, token, allow } = await electorate();
    const options = { namespace, token, timing: PATIENT };
    const election = new Election(t, [await LeaseCandidate.start(plane, { ...options, identity: 'c0' })], options);
    const [only] = election.all;
    await eventually(() => only?.said.length === 1);
    assert.equal(
      only?.said[0],
      `fault get leases: leases.coordination.k8s.io "khook" is forbidden: User "system:serviceaccount:${namespace}:khook" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "${namespace}"`,
    );
    await allow();
    await election.leader();
    assert.deepEqual(only?.said.slice(1), ['acquired nobody', 'recovered']);
  });

  it('costs a killed leader nothing when it is back in time, and passes on when it is not', async (t) => {
    const election = await candidates(t, QUICK, 1);
    const options = { ...election.options, server: plane.server, ca: plane.ca };
    const [only] = election.all;
    await only?.lease.release();
    const first = await CandidateProcess.leading(t, { ...options, identity: 'pod-a' });
    first.kill('SIGKILL');
    const bornAt = machineNow();
    const again = await CandidateProcess.leading(t, { ...options, identity: 'pod-a' });
    assert.ok(again.ledAt - bornAt < QUICK.durationMs, `it led after ${again.ledAt - bornAt} ms`);
    const standby = CandidateProcess.start(t, { ...options, identity: 'pod-b' });
    await eventually(() => standby.isFollowing, WAIT_MS);
    again.kill('SIGKILL');
    const killedAt = machineNow();
    await eventually(() => standby.isLeading, WAIT_MS);
    assert.ok(standby.ledAt - killedAt < QUICK.durationMs + 4 * QUICK.retryMs + 2_000);
  });

  it('is not used by a leader that was frozen and wakes when another one leads', async (t) => {
    const election = await candidates(t, QUICK, 1);
    const options = { ...election.options, server: plane.server, ca: plane.ca };
    const [standby] = election.all;
    await standby?.lease.release();
    const frozen = await CandidateProcess.leading(t, { ...options, identity: 'frozen' });
    const successor = await LeaseCandidate.start(plane, { ...election.options, identity: 'successor' });
    t.after(() => successor.end());
    await eventually(() => successor.lease.holder === 'frozen', WAIT_MS);
    frozen.kill('SIGSTOP');
    await eventually(() => successor.lease.isLeader, WAIT_MS);
    const successorAt = machineNow();
    frozen.kill('SIGCONT');
    await eventually(() => !frozen.isLeading, WAIT_MS);
    assert.ok(frozen.lastLedAt < successorAt - 1_000, 'it did not act once after it woke');
    assert.equal(successor.lease.isLeader, true);
  });
});

/** Looks all the time whether there is more than one leader. */
class Election {
  readonly all: readonly LeaseCandidate[];
  readonly options: Omit<CandidateOptions, 'identity'>;

  constructor(t: TestContext, all: readonly LeaseCandidate[], options: Omit<CandidateOptions, 'identity'>) {
    this.all = all;
    this.options = options;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, all.filter(({ lease }) => lease.isLeader).length);
    }, LOOK_MS);
    t.after(async () => {
      clearInterval(timer);
      await Promise.all(all.map((candidate) => candidate.end()));
      assert.ok(most <= 1, `${most} led at the same time`);
    });
  }

  get namespace(): string {
    return this.options.namespace;
  }

  /** How often the lease was taken so far. */
  get acquired(): number {
    return this.all.flatMap(({ said }) => said).filter((line) => line.startsWith('acquired')).length;
  }

  leader(): Promise<LeaseCandidate> {
    return eventually(() => this.all.find(({ lease }) => lease.isLeader), WAIT_MS);
  }
}

class CandidateProcess {
  readonly #child: ChildProcess;
  readonly #lines: LeadLine[] = [];
  isFollowing = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'follows') this.isFollowing = true;
        else this.#lines.push(JSON.parse(line) as LeadLine);
      }
    });
  }

  static start(t: TestContext, options: ProcessOptions): CandidateProcess {
    const program = resolve(import.meta.dirname, '../support/cluster/lease-process.ts');
    const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    return new CandidateProcess(child);
  }

  static async leading(t: TestContext, options: ProcessOptions): Promise<CandidateProcess> {
    const candidate = CandidateProcess.start(t, options);
    await eventually(() => candidate.isLeading, WAIT_MS);
    return candidate;
  }

  get isLeading(): boolean {
    return this.#lines.at(-1)?.leads === true;
  }

  /** When it began to. */
  get ledAt(): number {
    return this.#lines.findLast(({ leads }) => leads)?.at ?? Number.NaN;
  }

  get lastLedAt(): number {
    return this.#lines.findLast(({ leads }) => !leads)?.at ?? Number.NaN;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
