/**
 * What one evaluation of a filter may cost. Event text is of any size and a filter may loop over it, in loops inside of loops: every
 * step is paid for, a step that makes or compares much pays more, and who has spent it all fails. Counted, not timed: the same
 * event has the same verdict on a busy machine.
 */

export const MAX_STEPS = 100_000;
/** Each costs a step: so many characters of a text, elements of a list, characters of the event behind one of its maps. */
const CHARACTERS_PER_STEP = 128;
const ELEMENTS_PER_STEP = 16;
/** A look into the time zone table. */
const ZONE_STEPS = 500;

export class FilterBudget {
  #left = MAX_STEPS;
  #mapSteps = 0;
  /** One for all: a loop that goes on past it must not pay for a stack trace each time. */
  readonly #exhausted = new Error(`it takes more than ${MAX_STEPS} steps for this event`);

  get isExhausted(): boolean {
    return this.#left < 0;
  }

  get message(): string {
    return this.#exhausted.message;
  }

  /** `size`: characters of the event. */
  refill(size: number): void {
    this.#left = MAX_STEPS;
    this.#mapSteps = Math.ceil(size / CHARACTERS_PER_STEP);
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw this.#exhausted;
  }

  spendText(length: number): void {
    this.spend(1 + Math.floor(length / CHARACTERS_PER_STEP));
  }

  spendValue(value: unknown): void {
    if (typeof value === 'string') this.spendText(value.length);
    else if (Array.isArray(value)) this.spend(1 + Math.floor(value.length / ELEMENTS_PER_STEP));
    else this.spend(value instanceof Map ? this.#mapSteps : 1);
  }

  /** A comparison walks all of a value, and what stands in it twice is walked twice. */
  spendWhole(value: unknown): void {
    this.spendValue(value);
    if (Array.isArray(value)) for (const item of value) this.spendWhole(item);
  }
}

/** A node of the library's tree, as far as this file needs to know it. */
export interface AstNode {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly meta: object;
  evaluate: Evaluate;
}

type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/** Every node that an evaluation can come to, macros and their expansions included. Call after the types were checked. */
export function nodesOf(root: AstNode): readonly AstNode[] {
  const seen = new Set<object>();
  const nodes: AstNode[] = [];
  const waiting: unknown[] = [root];
  for (let value = waiting.pop(); value !== undefined || waiting.length > 0; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) waiting.push(...value);
    else if (value.constructor === root.constructor) {
      const node = value as AstNode;
      nodes.push(node);
      waiting.push(node.args, node.meta);
    } else if (Object.getPrototypeOf(value) === Object.prototype) waiting.push(...Object.values(value));
  }
  return nodes;
}

/** From now on an evaluation of the tree spends of the budget. */
export function meterNodes(nodes: readonly AstNode[], budget: FilterBudget): void {
  const compared = new Set<unknown>(
    nodes.flatMap(({ op, args }) => (/^(?:[!=]=|in)$/.test(op) && Array.isArray(args) ? args : [])),
  );
  for (const node of nodes) {
    const isGrowing = node.op === 'accuPush' || node.op === 'accuValue';
    const isCompared = compared.has(node);
    const ownSteps = isZoned(node) ? ZONE_STEPS : 1;
    // The library replaces a node's own `evaluate` when it runs for the first time; the replacement is what is metered then.
    let inner: Evaluate = node.evaluate;
    const metered: Evaluate = (evaluator, self, context) => {
      budget.spend(ownSteps);
      const value = inner.call(node, evaluator, self, context);
      // A list that grows by one element has been paid for already.
      if (isCompared) budget.spendWhole(value);
      else if (!isGrowing) budget.spendValue(value);
      return value;
    };
    Object.defineProperty(node, 'evaluate', {
      get: () => metered,
      set: (replacement: Evaluate) => {
        inner = replacement;
      },
    });
  }
}

/** `event.timestamp.getHours('Europe/Berlin')`. */
function isZoned({ op, args }: AstNode): boolean {
  if (op !== 'rcall' || !Array.isArray(args)) return false;
  const [name, , of] = args as readonly unknown[];
  return typeof name === 'string' && name.startsWith('get') && Array.isArray(of) && of.length > 0;
}
