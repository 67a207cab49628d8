/** Tokens to nodes, in the grammar of Go's text/template without named templates. Everything that can be refused is refused here. */

import type { Body, Node } from './ast.ts';
import { ExpressionParser } from './expression-parser.ts';
import { type Token, tokenize } from './lexer.ts';
import { Scope } from './scope.ts';
import { TemplateError } from './template-error.ts';
import { TokenReader } from './token-reader.ts';

export const MAX_TEMPLATE_LENGTH = 65_536;
export const MAX_NESTING = 100;

export interface ParseOptions {
  /**
   * The fields that the data has. An action that is nothing but an unknown one (`{{.Foo}}`) stays in the text as it is, and an
   * unknown one anywhere else is an error. Null: any field may exist.
   */
  readonly rootFields: ReadonlySet<string> | null;
}

export interface ParsedTemplate {
  readonly source: string;
  readonly body: Body;
  readonly slotCount: number;
}

const UNSUPPORTED: Readonly<Record<string, string>> = {
  define: 'named templates are not supported: write the text where it is used',
  template: 'named templates are not supported: write the text where it is used',
  block: 'named templates are not supported: write the text where it is used',
};

/** Throws TemplateError. */
export function parseTemplate(source: string, options: ParseOptions = { rootFields: null }): ParsedTemplate {
  if (source.length > MAX_TEMPLATE_LENGTH) {
    const reason = `a template must be at most ${MAX_TEMPLATE_LENGTH} characters, got ${source.length}`;
    throw new TemplateError(source, 0, reason);
  }
  return new TemplateParser(source, options).parse();
}

type Ending = 'end' | 'else' | 'end-of-template';

class TemplateParser {
  readonly #source: string;
  readonly #reader: TokenReader;
  readonly #scope = new Scope();
  readonly #expressions: ExpressionParser;
  #depth = 0;

  constructor(source: string, options: ParseOptions) {
    this.#source = source;
    this.#reader = new TokenReader(source, tokenize(source));
    this.#expressions = new ExpressionParser(this.#reader, this.#scope, options.rootFields);
  }

  parse(): ParsedTemplate {
    const { body, ending, at } = this.#body();
    if (ending !== 'end-of-template') throw this.#fault(at, `unexpected {{${ending}}}`);
    return { source: this.#source, body, slotCount: this.#scope.slotCount };
  }

  #body(): { body: Node[]; ending: Ending; at: number } {
    const body: Node[] = [];
    for (;;) {
      const token = this.#reader.take();
      if (token.kind === 'text') body.push({ kind: 'text', text: token.text });
      else if (token.kind === 'end-of-template') return { body, ending: 'end-of-template', at: token.at };
      else {
        const word = this.#reader.peek();
        const name = word.kind === 'name' ? word.text : '';
        if (name === 'end' || name === 'else') {
          this.#reader.take();
          if (name === 'end') this.#close('end');
          return { body, ending: name, at: word.at };
        }
        body.push(this.#node(token, word, name));
      }
    }
  }

  #node(open: Token, word: Token, name: string): Node {
    switch (name) {
      case 'if':
      case 'with':
      case 'range':
        this.#reader.take();
        return this.#control(name, word);
      case 'break':
      case 'continue':
        this.#reader.take();
        if (!this.#scope.isInLoop) throw this.#fault(word.at, `{{${name}}} outside {{range}}`);
        this.#close(name);
        return { kind: name, at: word.at };
      default: {
        const unsupported = Object.hasOwn(UNSUPPORTED, name) ? UNSUPPORTED[name] : undefined;
        if (unsupported !== undefined) throw this.#fault(word.at, `{{${name}}}: ${unsupported}`);
        return this.#action(open);
      }
    }
  }

  #action(open: Token): Node {
    const unknown = this.#expressions.unknownFieldAction();
    if (unknown !== null) return { kind: 'text', text: this.#source.slice(open.at, unknown.until) };
    const pipeline = this.#expressions.pipeline('action');
    this.#close('action');
    return { kind: 'action', pipeline };
  }

  #control(kind: 'if' | 'with' | 'range', word: Token): Node {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw this.#fault(word.at, `nested more than ${MAX_NESTING} deep`);
    const node = this.#scope.nested((): Node => {
      const pipeline = this.#expressions.pipeline(kind);
      this.#close(kind);
      const then = this.#scope.body(kind, () => this.#body());
      const otherwise = this.#otherwise(kind, word, then);
      return { kind, pipeline, body: then.body, otherwise };
    });
    this.#depth -= 1;
    return node;
  }

  #otherwise(kind: 'if' | 'with' | 'range', word: Token, then: { ending: Ending; at: number }): Body {
    if (then.ending === 'end') return [];
    if (then.ending === 'end-of-template') throw this.#fault(word.at, `{{${kind}}} without {{end}}`);
    const next = this.#reader.peek();
    if (next.kind === 'name' && next.text === kind && kind !== 'range') {
      this.#reader.take();
      return [this.#control(kind, next)];
    }
    this.#close('else');
    const other = this.#body();
    if (other.ending === 'else') throw this.#fault(other.at, 'unexpected second {{else}}');
    if (other.ending !== 'end') throw this.#fault(word.at, `{{${kind}}} without {{end}}`);
    return other.body;
  }

  #close(context: string): void {
    const token = this.#reader.take();
    if (token.kind !== 'close') throw this.#fault(token.at, `unexpected ${this.#reader.show(token)} in ${context}`);
  }

  #fault(at: number, reason: string): TemplateError {
    return new TemplateError(this.#source, at, reason);
  }
}
