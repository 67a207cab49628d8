/**
 * `matches` for filters. The library's own runs on backtracking regular expressions, which a pattern and a text made for each other
 * can hold for hours; this one runs on RE2, whose time grows with the length of the text and no faster. It takes the standard's name by being
 * a macro, and macros go before functions: of the library's own nothing is left to be called.
 */

import type { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { messageOf } from '../../ipc/errors.ts';
import type { AstNode, FilterBudget } from './filter-cost.ts';

const MAX_PATTERN_LENGTH = 1_024;
/** Instructions of a compiled pattern. */
const MAX_PROGRAM = 4_096;
/** The time for a text grows with the product of both; so much of it costs a step. */
const PRODUCT_PER_STEP = 2_048;

/** What the library hands to a macro, and what it hands on. */
interface Expansion {
  readonly args: readonly AstNode[];
  readonly receiver: AstNode;
}

interface Checker {
  check(node: AstNode, context: unknown): { readonly kind: string; readonly name: string };
  getType(name: string): unknown;
  createError(code: string, message: string, node: AstNode): Error;
}

interface Evaluator {
  run(node: AstNode, context: unknown): unknown;
  createError(code: string, message: string, node: AstNode): Error;
}

/** A pattern is a literal, so that it is compiled once, and that what is wrong with it is known when the Hook is read. */
export function registerMatches(environment: Environment, budget: FilterBudget): void {
  const expand = ({ args, receiver }: Expansion): object => {
    const [argument] = args;
    let pattern: RE2JS | null = null;
    return {
      async: false,
      // Named here so that the walk over the tree comes to it.
      receiver,
      typeCheck(checker: Checker, _: unknown, context: unknown): unknown {
        const { kind, name } = checker.check(receiver, context);
        if (kind !== 'dyn' && name !== 'string')
          throw checker.createError('no_matching_overload', `matches() looks at text, not at ${name}`, receiver);
        const compiled = compile(argument);
        if (typeof compiled === 'string') throw checker.createError('bad_pattern', compiled, argument ?? receiver);
        pattern = compiled;
        return checker.getType('bool');
      },
      evaluate(evaluator: Evaluator, _: unknown, context: unknown): boolean {
        const text = evaluator.run(receiver, context);
        if (typeof text !== 'string')
          throw evaluator.createError('no_matching_overload', 'matches() looks at text, and this is none', receiver);
        if (pattern === null) throw evaluator.createError('bad_pattern', 'the pattern was not compiled', receiver);
        budget.spend(1 + Math.floor((text.length * pattern.programSize()) / PRODUCT_PER_STEP));
        return pattern.matcher(text).find();
      },
    };
  };
  // The receiver's type plays no part in the expansion of a macro; `string` itself is taken.
  environment.registerFunction('map.matches(ast): bool', expand);
}

/** What is wrong with it, in words. */
function compile(argument: AstNode | undefined): RE2JS | string {
  if (argument?.op !== 'value' || typeof argument.args !== 'string')
    return "the pattern of matches() must be written out, as in matches('^web-[0-9]+$')";
  const source = argument.args;
  if (source.length > MAX_PATTERN_LENGTH) return `a pattern must be at most ${MAX_PATTERN_LENGTH} characters long`;
  try {
    const pattern = RE2JS.compile(source);
    if (pattern.programSize() <= MAX_PROGRAM) return pattern;
    return 'the pattern is too large: it counts too high, as in x{1000}';
  } catch (error) {
    return `the pattern is no regular expression of RE2, which knows no look-around and no back references: ${messageOf(error)}`;
  }
}
