/** Reads a recording and the Hooks to try, runs the one against the other, and says what differs, by words and by exit code. */

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../ipc/errors.ts';
import { DryRun } from '../replay/dry-run.ts';
import { Recording } from '../replay/recording.ts';
import { Tally } from '../replay/tally.ts';
import { flagText, type Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { OutputWatch } from './output-watch.ts';
import { ReplayJson } from './replay-json.ts';
import { readReplayPlan } from './replay-plan.ts';
import type { ReplayReport } from './replay-report.ts';
import { ReplayText } from './replay-text.ts';

export async function replayRecording(invocation: Invocation): Promise<ExitCode> {
  const say = (text: string): void => invocation.stderr(`khook replay: ${text}\n`);
  if (flagText(invocation, 'hooks') === null) {
    say("--hooks must name the folder with the Hooks to try\nRun 'khook replay --help' for its usage.");
    return EXIT_CODES.USAGE;
  }
  await using opened = new AsyncDisposableStack();
  try {
    return await replay(invocation, { say, opened });
  } catch (error) {
    say(messageOf(error));
    return EXIT_CODES.FAILED;
  }
}

async function replay(
  invocation: Invocation,
  { say, opened }: { readonly say: (text: string) => void; readonly opened: AsyncDisposableStack },
): Promise<ExitCode> {
  const [file = ''] = invocation.positionals;
  const report = reportOf(invocation, say);
  const path = file === '-' ? await spool(opened) : file;
  const recording = opened.use(Recording.open(path, (broken) => report.broken(broken)));
  if (recording.facts.events === 0) {
    say(`${file === '-' ? 'the recording' : file} has no event that can be replayed`);
    return EXIT_CODES.FAILED;
  }
  const plan = readReplayPlan(invocation, recording.controllerNamespace);
  if (plan.kind === 'bad') {
    for (const message of plan.messages) say(message);
    return plan.code;
  }
  for (const warning of plan.warnings) say(warning);
  const run = opened.use(new DryRun(plan));
  const tally = new Tally();
  const output = new OutputWatch();
  for await (const event of run.run(recording.inOrder())) {
    tally.add(event);
    report.event(event);
    if (!output.isOpen) break;
  }
  if (output.isOpen) report.end({ tally, facts: recording.facts, digests: run.digests });
  // Whether it could be written is known in the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  if (output.fault !== null) {
    say(output.fault);
    return EXIT_CODES.FAILED;
  }
  return tally.differences === 0 ? EXIT_CODES.OK : EXIT_CODES.DIFFERENT;
}

function reportOf(invocation: Invocation, say: (text: string) => void): ReplayReport {
  const { all, prompts, json } = invocation.flags;
  const options = { showsAll: all === true, showsPrompts: prompts === true, write: invocation.stdout, say };
  return json === true ? new ReplayJson(options) : new ReplayText(options);
}

/** A pipe can be read only once: what comes through it is put into a file meanwhile. */
async function spool(opened: AsyncDisposableStack): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'khook-replay-'));
  opened.defer(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'recording.ndjson');
  await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }));
  return path;
}
