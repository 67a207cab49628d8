/** A cursor over tokens. Behind the last one it keeps answering with that one. */

import type { Token } from './lexer.ts';
import { shown, TemplateError } from './template-error.ts';

export class TokenReader {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #last: Token;
  #position = 0;

  constructor(source: string, tokens: readonly Token[]) {
    this.#source = source;
    this.#tokens = tokens;
    this.#last = tokens.at(-1) ?? {
      kind: 'end-of-template',
      text: '',
      number: 0,
      at: 0,
      until: 0,
      spaced: false,
    };
  }

  /** The token `ahead` of the next one, without taking any. */
  peek(ahead = 0): Token {
    return this.#tokens[this.#position + ahead] ?? this.#last;
  }

  take(): Token {
    const token = this.peek();
    this.#position += 1;
    return token;
  }

  show(token: Token): string {
    if (token.kind === 'close') return '}}';
    if (token.kind === 'end-of-template') return 'end of the template';
    return shown(this.#source.slice(token.at, token.until));
  }

  fault(token: Token, reason: string): TemplateError {
    return new TemplateError(this.#source, token.at, reason);
  }
}
