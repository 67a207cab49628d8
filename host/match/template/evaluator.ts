/** Walks a parsed template over data. Bounded by a meter and by the room in the output; the data is only read. */

import type { Body, Expression, Node, Pipeline } from './ast.ts';
import { printed } from './format.ts';
import { Meter } from './meter.ts';
import type { ParsedTemplate } from './parser.ts';
import { isInteger, isMap, isNothing, isTrue, ownProperty, sortedKeys, typeName } from './value.ts';

export interface Rendering {
  readonly text: string;
  /** The text ends before the template did: it had reached `maxLength`. */
  readonly isCut: boolean;
}

/** Throws TemplateError when the data does not fit the template, or when it takes too many steps. `wrap` has the last word on what an action prints. */
export function renderTemplate(
  template: ParsedTemplate,
  data: unknown,
  maxLength: number,
  wrap: (text: string) => string = unchanged,
): Rendering {
  return new Evaluator(template, data, { maxLength, wrap }).run();
}

function unchanged(text: string): string {
  return text;
}

/** How a body ended. */
type Flow = 'next' | 'break' | 'continue' | 'full';

class Evaluator {
  readonly #template: ParsedTemplate;
  readonly #meter: Meter;
  readonly #slots: unknown[];
  readonly #maxLength: number;
  readonly #wrap: (text: string) => string;
  #text = '';

  constructor(
    template: ParsedTemplate,
    data: unknown,
    { maxLength, wrap }: { maxLength: number; wrap: (text: string) => string },
  ) {
    this.#template = template;
    this.#meter = new Meter(template.source);
    this.#slots = new Array<unknown>(template.slotCount).fill(undefined);
    this.#slots[0] = data;
    this.#maxLength = maxLength;
    this.#wrap = wrap;
  }

  run(): Rendering {
    const flow = this.#body(this.#template.body, this.#slots[0]);
    return { text: this.#text, isCut: flow === 'full' };
  }

  #body(body: Body, dot: unknown): Flow {
    for (const node of body) {
      const flow = this.#node(node, dot);
      if (flow !== 'next') return flow;
    }
    return 'next';
  }

  #node(node: Node, dot: unknown): Flow {
    this.#meter.spend(1);
    switch (node.kind) {
      case 'text':
        return this.#write(node.text);
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.slots.length > 0) return 'next';
        this.#meter.at = node.pipeline.at;
        return this.#write(this.#wrap(printed(value, this.#meter)));
      }
      case 'if':
        return this.#body(isTrue(this.#pipeline(node.pipeline, dot)) ? node.body : node.otherwise, dot);
      case 'with': {
        const value = this.#pipeline(node.pipeline, dot);
        return isTrue(value) ? this.#body(node.body, value) : this.#body(node.otherwise, dot);
      }
      case 'range':
        return this.#range(node, dot);
      case 'break':
        return 'break';
      case 'continue':
        return 'continue';
    }
  }

  #range(node: Extract<Node, { kind: 'range' }>, dot: unknown): Flow {
    const { slots, expression, at } = node.pipeline;
    const value = this.#evaluate(expression, dot);
    this.#meter.at = at;
    if (!isTrue(value) && isRangeable(value)) return this.#body(node.otherwise, dot);
    const keys = isMap(value) ? this.#sorted(value) : null;
    const count = keys?.length ?? (Array.isArray(value) ? value.length : isInteger(value) ? Math.max(0, value) : -1);
    if (count === -1) this.#meter.fail(`range cannot iterate over ${typeName(value)}`);
    if (count === 0) return this.#body(node.otherwise, dot);
    const [first, second] = slots;
    if (second !== undefined && isInteger(value)) this.#meter.fail('a range over a number sets one variable only');
    for (let i = 0; i < count; i += 1) {
      this.#meter.spend(1);
      const key = keys === null ? i : keys[i];
      const item =
        typeof key === 'string' && isMap(value) ? ownProperty(value, key) : Array.isArray(value) ? value[i] : i;
      if (first !== undefined) this.#slots[first] = second === undefined ? item : key;
      if (second !== undefined) this.#slots[second] = item;
      const flow = this.#body(node.body, item);
      if (flow === 'full') return 'full';
      if (flow === 'break') break;
    }
    return 'next';
  }

  #sorted(map: Readonly<Record<string, unknown>>): string[] {
    const keys = sortedKeys(map);
    this.#meter.spend(keys.length);
    return keys;
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    const value = this.#evaluate(pipeline.expression, dot);
    for (const slot of pipeline.slots) this.#slots[slot] = value;
    return value;
  }

  #evaluate(expression: Expression, dot: unknown): unknown {
    this.#meter.spend(1);
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'nil':
        return null;
      case 'dot':
        return dot;
      case 'field':
        return this.#fields(dot, expression.path, expression.at);
      case 'variable':
        return this.#fields(this.#slots[expression.slot], expression.path, expression.at);
      case 'chain':
        return this.#fields(this.#pipeline(expression.base, dot), expression.path, expression.at);
      case 'call':
        return this.#call(expression, dot);
    }
  }

  #call(expression: Extract<Expression, { kind: 'call' }>, dot: unknown): unknown {
    const { call, args, at } = expression;
    const values: unknown[] = [];
    for (const arg of args) {
      const value = this.#evaluate(arg, dot);
      values.push(value);
      if (call.stopsAt !== null && isTrue(value) === call.stopsAt) return value;
    }
    this.#meter.at = at;
    return call.apply(values, this.#meter);
  }

  /** A key that a map lacks is nothing; a field of what is no map is an error. */
  #fields(start: unknown, path: readonly string[], at: number): unknown {
    let value = start;
    for (const name of path) {
      this.#meter.spend(1);
      if (isNothing(value)) return undefined;
      if (!isMap(value)) {
        this.#meter.at = at;
        this.#meter.fail(`there is no field .${name} in a ${typeName(value)}`);
      }
      value = ownProperty(value, name);
    }
    return value;
  }

  #write(text: string): Flow {
    const room = this.#maxLength - this.#text.length;
    this.#text += text.length > room ? text.slice(0, room) : text;
    return text.length > room ? 'full' : 'next';
  }
}

function isRangeable(value: unknown): boolean {
  return isNothing(value) || typeof value === 'object' || isInteger(value);
}
