/** The conditions of a Hook, as pure functions over what is known. Reasons and types are read by people and by `kubectl wait`: they are a contract. */

import { redactText } from '../base/redact.ts';
import type { HookCondition } from '../config/hook-status.ts';
import { formatProblem } from '../config/problem.ts';
import type { StoredHook } from './hook-store.ts';

/** What the matcher found wrong with a Hook whose fields are in order. */
export interface RuleProblem {
  /** `template`: it fires, with the raw text. `filter`: it matches nothing. */
  readonly kind: 'template' | 'filter';
  readonly message: string;
}

/** Whether an agent took the last message that was sent to it. */
export interface AgentAnswer {
  /** `namespace/name`. */
  readonly agent: string;
  /** Null: it did. */
  readonly error: string | null;
}

export type Judgement = Pick<HookCondition, 'type' | 'status' | 'reason' | 'message'>;

const MAX_MESSAGE = 2_048;

export function readyOf({ hook, problems, generation }: StoredHook, ruleProblem: RuleProblem | null): Judgement {
  const judged = (status: 'True' | 'False', reason: string, message: string): Judgement => {
    return { type: 'Ready', status, reason, message: message.slice(0, MAX_MESSAGE) };
  };
  if (problems.length > 0) {
    const inForce = hook === null ? 'Nothing of it is in force.' : 'Its last good version stays in force.';
    const words = problems.map((problem) => formatProblem({ ...problem, file: '' }).replace(/^: /, ''));
    return judged('False', 'InvalidConfiguration', `Generation ${generation}: ${words.join('; ')}. ${inForce}`);
  }
  if (ruleProblem?.kind === 'filter') return judged('False', 'InvalidFilter', ruleProblem.message);
  if (ruleProblem?.kind === 'template') return judged('False', 'InvalidTemplate', ruleProblem.message);
  if (hook?.suspend === true) return judged('True', 'Suspended', 'The Hook is suspended and fires for nothing.');
  return judged('True', 'HookConfigured', 'The Hook is in force.');
}

/** `answers`: of the agents that were called since the Hook was read; `written`: what stands there. */
export function agentReachableOf(answers: readonly AgentAnswer[], written: HookCondition | undefined): Judgement {
  const judged = (status: HookCondition['status'], reason: string, message: string): Judgement => {
    return { type: 'AgentReachable', status, reason, message: message.slice(0, MAX_MESSAGE) };
  };
  const failed = answers.find(({ error }) => error !== null);
  // An error may quote what an agent said.
  const words = redactText(failed?.error ?? '').toWellFormed();
  if (failed !== undefined) return judged('False', 'KagentAPIError', `Agent ${failed.agent}: ${words}`);
  if (answers.length > 0) return judged('True', 'AgentResponded', 'The agents that were called took their messages.');
  if (written !== undefined) {
    const { status, reason, message } = written;
    return judged(status, reason, message);
  }
  return judged('Unknown', 'NotCalled', 'No agent of this Hook was called yet.');
}

/** What stands there with these in it. A transition is a change of the status, not of the words; conditions of others stay as they are. */
export function withConditions(
  written: readonly HookCondition[],
  judgements: readonly Judgement[],
  about: { readonly observedGeneration: number; readonly at: string },
): HookCondition[] {
  const { observedGeneration, at } = about;
  const own = judgements.map((judgement): HookCondition => {
    const before = written.find(({ type }) => type === judgement.type);
    const lastTransitionTime = before?.status === judgement.status ? before.lastTransitionTime : at;
    return { ...judgement, observedGeneration, lastTransitionTime };
  });
  const types = new Set(own.map(({ type }) => type));
  return [...own, ...written.filter(({ type }) => !types.has(type))];
}
