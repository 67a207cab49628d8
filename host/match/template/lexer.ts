/** Cuts a template into text and tokens, as Go's text/template does: trim markers and comments are gone afterwards. Linear in the source. */

import { shown, TemplateError } from './template-error.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'name'
  | 'field'
  | 'variable'
  | 'dot'
  | 'string'
  | 'number'
  | 'declare'
  | 'assign'
  | 'pipe'
  | 'comma'
  | 'lparen'
  | 'rparen'
  | 'end-of-template';

export interface Token {
  readonly kind: TokenKind;
  /** Text, name, decoded string; a field without its dot; a variable with its `$`. */
  readonly text: string;
  /** Value of a number. */
  readonly number: number;
  /** Offset in the source, for messages. */
  readonly at: number;
  /** Offset behind the token. */
  readonly until: number;
  /** White space stands before it: inside an action this separates operands. */
  readonly spaced: boolean;
}

const SPACE = /[ \t\r\n]+/y;
const NAME = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const VARIABLE = /\$[\p{L}\p{Nd}_]*/uy;
const FIELD = /\.[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER = /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const RAW_STRING = /`[^`]*`/y;
const CHARACTER = /'(?:[^'\\\n]|\\[^\n])+'/y;
const WORD_CHARACTER = /[\p{L}\p{Nd}_]/u;
const TRIM_START = /^[ \t\r\n]+/;

const PUNCTUATION: Readonly<Record<string, TokenKind>> = { '|': 'pipe', ',': 'comma', '(': 'lparen', ')': 'rparen' };

/** Throws TemplateError. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #isTrimming = false;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    for (;;) {
      const open = this.#source.indexOf('{{', this.#at);
      const end = open === -1 ? this.#source.length : open;
      const trimsBefore = open !== -1 && this.#isTrimMarker(open + 2);
      this.#text(end, trimsBefore);
      if (open === -1) break;
      this.#at = open + 2 + (trimsBefore ? 1 : 0);
      if (!this.#comment(open)) this.#action(open);
    }
    this.#push('end-of-template', '', this.#source.length);
    return this.#tokens;
  }

  #text(end: number, trimsBefore: boolean): void {
    let text = this.#source.slice(this.#at, end);
    if (this.#isTrimming) text = text.replace(TRIM_START, '');
    if (trimsBefore) text = trimEnd(text);
    if (text !== '') this.#push('text', text, this.#at);
    this.#isTrimming = false;
  }

  /** `- ` directly behind an opening delimiter. */
  #isTrimMarker(at: number): boolean {
    return this.#source[at] === '-' && isSpace(this.#source[at + 1]);
  }

  /** True when the action that opens at `open` is a comment; it is then consumed. */
  #comment(open: number): boolean {
    this.#match(SPACE, this.#at !== open + 2);
    if (!this.#source.startsWith('/*', this.#at)) return false;
    const end = this.#source.indexOf('*/', this.#at + 2);
    if (end === -1) throw this.#fault(open, 'unclosed comment');
    this.#at = end + 2;
    if (!this.#close()) throw this.#fault(open, 'a comment must end directly before the closing }}');
    return true;
  }

  #action(open: number): void {
    this.#push('open', '{{', open, this.#at);
    for (;;) {
      const before = this.#at;
      const closed = this.#close();
      if (closed) {
        this.#push('close', '}}', before);
        return;
      }
      const spaced = this.#match(SPACE) !== '';
      if (this.#at >= this.#source.length) throw this.#fault(open, 'unclosed action: {{ without }}');
      if (this.#closesHere()) continue;
      this.#token(spaced);
    }
  }

  #closesHere(): boolean {
    return this.#source.startsWith('}}', this.#at);
  }

  /** Consumes `}}` or ` -}}`. */
  #close(): boolean {
    const trim = /[ \t\r\n]+-\}\}/y;
    if (this.#match(trim) !== '') {
      this.#isTrimming = true;
      return true;
    }
    if (!this.#closesHere()) return false;
    this.#at += 2;
    return true;
  }

  #token(spaced: boolean): void {
    const at = this.#at;
    const character = this.#source[at] ?? '';
    const punctuation = Object.hasOwn(PUNCTUATION, character) ? PUNCTUATION[character] : undefined;
    if (punctuation !== undefined) {
      this.#at += 1;
      this.#push(punctuation, character, at, this.#at, spaced);
    } else if (this.#source.startsWith(':=', at)) {
      this.#at += 2;
      this.#push('declare', ':=', at, this.#at, spaced);
    } else if (character === '=') {
      this.#at += 1;
      this.#push('assign', '=', at, this.#at, spaced);
    } else if (character === '"') this.#string(spaced, STRING);
    else if (character === '`') this.#string(spaced, RAW_STRING);
    else if (character === "'") this.#character(spaced);
    else if (/[+\-0-9]/.test(character) || /^\.\d/.test(this.#source.slice(at, at + 2))) this.#number(spaced);
    else this.#word(character, spaced);
  }

  #word(character: string, spaced: boolean): void {
    const at = this.#at;
    let text = '';
    let kind: TokenKind = 'name';
    if (character === '.') {
      text = this.#match(FIELD);
      kind = text === '' ? 'dot' : 'field';
      if (text === '') this.#at += 1;
      else text = text.slice(1);
    } else if (character === '$') {
      text = this.#match(VARIABLE);
      kind = 'variable';
    } else text = this.#match(NAME);
    if (text === '' && kind !== 'dot') throw this.#fault(at, `unexpected character ${shown(character)}`);
    const next = this.#source[this.#at] ?? '';
    const isTerminated = next === '' || /[ \t\r\n.,|:()]/.test(next) || this.#closesHere();
    if (!isTerminated) throw this.#fault(this.#at, `unexpected character ${shown(next)}`);
    this.#push(kind, text, at, this.#at, spaced);
  }

  #string(spaced: boolean, pattern: RegExp): void {
    const at = this.#at;
    const raw = this.#match(pattern);
    if (raw === '') throw this.#fault(at, 'unterminated string');
    const body = raw.slice(1, -1);
    const text = pattern === RAW_STRING ? body.replaceAll('\r', '') : this.#unescape(body, at);
    this.#push('string', text, at, this.#at, spaced);
  }

  #character(spaced: boolean): void {
    const at = this.#at;
    const raw = this.#match(CHARACTER);
    const text = this.#unescape(raw.slice(1, -1), at);
    const points = [...text];
    if (points.length !== 1) throw this.#fault(at, 'malformed character constant');
    this.#push('number', raw, at, this.#at, spaced, text.codePointAt(0) ?? 0);
  }

  #number(spaced: boolean): void {
    const at = this.#at;
    const raw = this.#match(NUMBER);
    const next = this.#source[this.#at] ?? '';
    const value = raw === '' || WORD_CHARACTER.test(next) ? Number.NaN : parseNumber(raw);
    if (!Number.isFinite(value)) throw this.#fault(at, `bad number ${shown(raw + next)}`);
    this.#push('number', raw, at, this.#at, spaced, value);
  }

  #unescape(body: string, at: number): string {
    const pattern = /\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([\s\S]))/gu;
    return body.replace(pattern, (whole, simple?: string, x?: string, u?: string, long?: string, octal?: string) => {
      if (simple !== undefined) return SIMPLE_ESCAPES[simple] ?? whole;
      const code = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(x ?? u ?? long ?? 'x', 16);
      if (!(code <= 0x10ffff)) throw this.#fault(at, `invalid escape ${shown(whole)} in string`);
      return String.fromCodePoint(code);
    });
  }

  #match(pattern: RegExp, enabled = true): string {
    if (!enabled) return '';
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #push(kind: TokenKind, text: string, at: number, until = at, spaced = false, number = 0): void {
    this.#tokens.push({ kind, text, number, at, until: Math.max(until, this.#at), spaced });
  }

  #fault(at: number, reason: string): TemplateError {
    return new TemplateError(this.#source, at, reason);
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function parseNumber(raw: string): number {
  const text = raw.replaceAll('_', '');
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[+-]/, '');
  if (/^0[0-7]+$/.test(digits)) return sign * Number.parseInt(digits, 8);
  return sign * Number(digits);
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n';
}

/** Linear: a pattern anchored at the end would look for its start at every run of spaces. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end -= 1;
  return text.slice(0, end);
}
