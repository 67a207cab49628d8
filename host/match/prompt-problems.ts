/** The prompts of Hooks that are no templates, as problems of the files they stand in. */

import { type Hook, hookId } from '../config/hook.ts';
import type { Problem } from '../config/problem.ts';
import { TemplateCheck } from './template-check.ts';

export function promptProblems(hooks: readonly Hook[]): Problem[] {
  const origins = new Map(hooks.map((hook) => [hookId(hook), hook.origin]));
  return new TemplateCheck().check(hooks).problems.map(({ hook, configuration, problem }) => ({
    code: 'HOST_ERR_TEMPLATE',
    message: `the prompt is not a template: ${problem}`,
    file: origins.get(hook) ?? hook,
    line: null,
    column: null,
    path: `${hook}: spec.eventConfigurations[${configuration}].prompt`,
    fix: 'line and column count inside the prompt; until it is mended, events go out with its raw text',
    subject: hook,
  }));
}
