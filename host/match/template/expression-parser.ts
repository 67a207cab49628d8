/** What stands inside an action: pipelines, commands, operands. A pipe becomes nested calls here. */

import type { Expression, Pipeline } from './ast.ts';
import { FUNCTIONS, functionFault } from './functions.ts';
import type { Token, TokenKind } from './lexer.ts';
import type { Scope } from './scope.ts';
import { shown } from './template-error.ts';
import type { TokenReader } from './token-reader.ts';

const MAX_PARENTHESES = 100;

/** Where a pipeline stands: only a range may declare two variables. */
type Place = 'action' | 'if' | 'with' | 'range' | 'parentheses';

export class ExpressionParser {
  readonly #reader: TokenReader;
  readonly #scope: Scope;
  readonly #rootFields: ReadonlySet<string> | null;
  #parentheses = 0;

  constructor(reader: TokenReader, scope: Scope, rootFields: ReadonlySet<string> | null) {
    this.#reader = reader;
    this.#scope = scope;
    this.#rootFields = rootFields;
  }

  /** When the action ahead is nothing but one unknown field of the root: takes it, and returns its closing token. */
  unknownFieldAction(): Token | null {
    const first = this.#reader.peek();
    const isRoot = first.kind === 'variable' && first.text === '$' && !this.#reader.peek(1).spaced;
    const field = isRoot ? this.#reader.peek(1) : first;
    if (field.kind !== 'field' || !this.#isUnknown(field.text, isRoot)) return null;
    let ahead = isRoot ? 2 : 1;
    while (this.#reader.peek(ahead).kind === 'field' && !this.#reader.peek(ahead).spaced) ahead += 1;
    const close = this.#reader.peek(ahead);
    if (close.kind !== 'close') return null;
    for (let taken = 0; taken <= ahead; taken += 1) this.#reader.take();
    return close;
  }

  /** Leaves the token that ends the pipeline for the caller. */
  pipeline(place: Place): Pipeline {
    const at = this.#reader.peek().at;
    const names = this.#declaration(place);
    let expression: Expression | null = null;
    for (;;) {
      expression = this.#command(place, expression);
      if (this.#reader.peek().kind !== 'pipe') break;
      this.#reader.take();
    }
    // Declared only now: in `$x := $x` the right one is the outer variable.
    return { slots: names.map((name) => name()), expression, at };
  }

  /** `$x :=`, `$x =`, and with two variables for a range. Returns what gives each its slot. */
  #declaration(place: Place): (() => number)[] {
    const first = this.#reader.peek();
    if (first.kind !== 'variable') return [];
    const isPair = this.#reader.peek(1).kind === 'comma';
    const operator = this.#reader.peek(isPair ? 3 : 1);
    if (operator.kind !== 'declare' && operator.kind !== 'assign') {
      if (isPair) throw this.#reader.fault(this.#reader.peek(1), 'unexpected "," outside a range declaration');
      return [];
    }
    const second = this.#reader.peek(2);
    if (isPair && place !== 'range') throw this.#reader.fault(first, 'only a range may set two variables');
    if (isPair && second.kind !== 'variable') throw this.#reader.fault(second, 'expected a second variable');
    if (place === 'parentheses') throw this.#reader.fault(first, 'a variable cannot be set inside parentheses');
    for (let taken = 0; taken < (isPair ? 4 : 2); taken += 1) this.#reader.take();
    const tokens = isPair ? [first, second] : [first];
    return tokens.map((token) => {
      if (operator.kind === 'declare') return () => this.#scope.declare(token.text);
      const slot = this.#variable(token);
      return () => slot;
    });
  }

  #command(place: Place, piped: Expression | null): Expression {
    const head = this.#reader.peek();
    const isCall = head.kind === 'name' && !isConstant(head.text);
    const args: Expression[] = [];
    if (isCall) this.#reader.take();
    for (let isFirst = !isCall; ; isFirst = false) {
      const next = this.#reader.peek();
      if (next.kind === 'close' || next.kind === 'pipe' || next.kind === 'rparen') break;
      if (!isFirst && !next.spaced) throw this.#unexpected(next, place);
      args.push(this.#operand(place));
    }
    const [operand] = args;
    if (!isCall && operand === undefined) throw this.#reader.fault(head, `missing value for ${place}`);
    if (isCall) return this.#call(head, piped === null ? args : [...args, piped]);
    if (piped !== null)
      throw this.#reader.fault(head, `${this.#reader.show(head)} is not a function and takes no pipe`);
    if (operand === undefined || args.length > 1) {
      throw this.#reader.fault(head, `${this.#reader.show(head)} is not a function and takes no arguments`);
    }
    if (operand.kind === 'nil') throw this.#reader.fault(head, 'nil is not a command');
    return operand;
  }

  #call(head: Token, args: readonly Expression[]): Expression {
    const call = FUNCTIONS.get(head.text);
    if (call === undefined) throw this.#reader.fault(head, functionFault(head.text));
    const most = call.most === null ? '' : ` and at most ${call.most}`;
    if (args.length < call.least || (call.most !== null && args.length > call.most)) {
      throw this.#reader.fault(head, `${head.text} takes at least ${call.least}${most} arguments, got ${args.length}`);
    }
    return { kind: 'call', name: head.text, call, args, at: head.at };
  }

  #operand(place: Place): Expression {
    const token = this.#reader.take();
    switch (token.kind) {
      case 'string':
        return this.#noFields({ kind: 'literal', value: token.text, at: token.at });
      case 'number':
        return this.#noFields({ kind: 'literal', value: token.number, at: token.at });
      case 'dot':
        return this.#noFields({ kind: 'dot', at: token.at });
      case 'field':
        this.#checkKnown(token, false);
        return { kind: 'field', path: [token.text, ...this.#fields()], at: token.at };
      case 'variable': {
        const next = this.#reader.peek();
        if (token.text === '$' && next.kind === 'field' && !next.spaced) this.#checkKnown(next, true);
        return { kind: 'variable', slot: this.#variable(token), path: this.#fields(), at: token.at };
      }
      case 'lparen':
        return this.#parenthesised(token);
      case 'name':
        if (isConstant(token.text)) return this.#noFields(constant(token));
        return this.#call(token, []);
      default:
        throw this.#unexpected(token, place);
    }
  }

  #parenthesised(open: Token): Expression {
    this.#parentheses += 1;
    if (this.#parentheses > MAX_PARENTHESES) {
      throw this.#reader.fault(open, `parentheses nested more than ${MAX_PARENTHESES} deep`);
    }
    const base = this.pipeline('parentheses');
    const close = this.#reader.take();
    if (close.kind !== 'rparen') throw this.#reader.fault(open, 'unclosed parenthesis');
    this.#parentheses -= 1;
    return { kind: 'chain', base, path: this.#fields(), at: open.at };
  }

  #fields(): string[] {
    const path: string[] = [];
    while (this.#isAdjacent('field')) path.push(this.#reader.take().text);
    return path;
  }

  #noFields(expression: Expression): Expression {
    if (this.#isAdjacent('field')) throw this.#reader.fault(this.#reader.peek(), 'unexpected . behind a constant');
    return expression;
  }

  #isAdjacent(kind: TokenKind): boolean {
    const next = this.#reader.peek();
    return next.kind === kind && !next.spaced;
  }

  #variable(token: Token): number {
    const slot = this.#scope.find(token.text);
    if (slot === -1) throw this.#reader.fault(token, `undefined variable ${shown(token.text)}`);
    return slot;
  }

  #isUnknown(name: string, isOnRoot: boolean): boolean {
    return (isOnRoot || this.#scope.isDotTheRoot) && this.#rootFields !== null && !this.#rootFields.has(name);
  }

  #checkKnown(token: Token, isOnRoot: boolean): void {
    if (!this.#isUnknown(token.text, isOnRoot)) return;
    const known = [...(this.#rootFields ?? [])].join(', ');
    throw this.#reader.fault(token, `unknown field .${token.text}; an event has ${known}`);
  }

  #unexpected(token: Token, place: Place): Error {
    return this.#reader.fault(token, `unexpected ${this.#reader.show(token)} in ${place}`);
  }
}

function isConstant(name: string): boolean {
  return name === 'true' || name === 'false' || name === 'nil';
}

function constant(token: Token): Expression {
  if (token.text === 'nil') return { kind: 'nil', at: token.at };
  return { kind: 'literal', value: token.text === 'true', at: token.at };
}
