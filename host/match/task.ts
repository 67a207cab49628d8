// Runs in a pool thread.
/** The entries of the matcher pool. A thread keeps the newest rules that it was sent; it touches no file and no network. */

import { systemClock } from '../../ipc/clock.ts';
import { judgeFrame } from './judge.ts';
import { summarizeLine } from './line-summary.ts';
import { CompiledRules, type Rules } from './rules.ts';
import {
  type DescribeTask,
  DONE,
  type JudgeAnswer,
  type JudgeTask,
  type LineSummary,
  LOADING_RULES,
  POSITION_WORD,
  type TranscribeTask,
} from './task-message.ts';
import { linesAt, transcribe as transcribeLine } from './transcript.ts';

let current: CompiledRules | null = null;

export function judge(task: JudgeTask): JudgeAnswer {
  Atomics.store(task.cell, POSITION_WORD, LOADING_RULES);
  if (task.rules !== '' && current?.version !== task.rulesVersion) {
    current = new CompiledRules(JSON.parse(task.rules) as Rules);
  }
  if (current === null || current.version !== task.rulesVersion) return { kind: 'send-rules' };
  const part = judgeFrame(task, current, systemClock);
  Atomics.store(task.cell, POSITION_WORD, DONE);
  return part;
}

export function describe(task: DescribeTask): LineSummary[] {
  const lines = task.lines.split('\n');
  const summaries = task.indices.map((index) => {
    Atomics.store(task.cell, POSITION_WORD, index);
    return summarizeLine(lines[index] ?? '');
  });
  Atomics.store(task.cell, POSITION_WORD, DONE);
  return summaries;
}

export function transcribe(task: TranscribeTask): string[] {
  const { cell, lines, indices, count, isRaw } = task;
  const texts = linesAt(lines, indices, count).map((line, position) => {
    Atomics.store(cell, POSITION_WORD, position);
    return transcribeLine(line, isRaw);
  });
  Atomics.store(cell, POSITION_WORD, DONE);
  return texts;
}
