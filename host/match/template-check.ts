/** Which prompts are no templates. Remembered by text: a change of one Hook must not compile ten thousand again on the host. */

import { type Hook, hookId } from '../config/hook.ts';
import { compilePrompt } from './prompt.ts';

export interface TemplateProblem {
  /** `namespace/name`. */
  readonly hook: string;
  /** Position in the Hook's eventConfigurations. */
  readonly configuration: number;
  /** `line:column: what is wrong`. */
  readonly problem: string;
}

export class TemplateCheck {
  /** Of the Hooks last checked: prompt → its problem. */
  #known = new Map<string, string | null>();
  #told = new Set<string>();

  /** All problems, and those that were not there the last time. */
  check(hooks: readonly Hook[]): { problems: TemplateProblem[]; fresh: TemplateProblem[] } {
    const known = new Map<string, string | null>();
    const told = new Set<string>();
    const problems: TemplateProblem[] = [];
    const fresh: TemplateProblem[] = [];
    for (const hook of hooks) {
      hook.eventConfigurations.forEach(({ prompt }, configuration) => {
        const problem =
          known.get(prompt) ?? this.#known.get(prompt) ?? (known.has(prompt) ? null : this.#compile(prompt));
        known.set(prompt, problem);
        if (problem === null) return;
        const found = { hook: hookId(hook), configuration, problem };
        const name = JSON.stringify(found);
        problems.push(found);
        told.add(name);
        if (!this.#told.has(name)) fresh.push(found);
      });
    }
    this.#known = known;
    this.#told = told;
    return { problems, fresh };
  }

  #compile(prompt: string): string | null {
    return this.#known.has(prompt) ? null : compilePrompt(prompt).problem;
  }
}
