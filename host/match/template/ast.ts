/** A parsed template. Variables are slots: slot 0 is `$`, the data a template is rendered with. */

import type { TemplateFunction } from './functions.ts';

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean; readonly at: number }
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'dot'; readonly at: number }
  /** `.a.b`, on the dot. */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly at: number }
  /** `$x.a.b`; an empty path is the variable itself. */
  | { readonly kind: 'variable'; readonly slot: number; readonly path: readonly string[]; readonly at: number }
  /** `(pipeline).a.b` */
  | { readonly kind: 'chain'; readonly base: Pipeline; readonly path: readonly string[]; readonly at: number }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly call: TemplateFunction;
      readonly args: readonly Expression[];
      readonly at: number;
    };

/** `$x := expression`; a pipe `a | f b` is already the call `f b a`. */
export interface Pipeline {
  /** Slots that take the value: none, one, or the two of a range. */
  readonly slots: readonly number[];
  readonly expression: Expression;
  readonly at: number;
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | { readonly kind: 'if'; readonly pipeline: Pipeline; readonly body: Body; readonly otherwise: Body }
  | { readonly kind: 'with'; readonly pipeline: Pipeline; readonly body: Body; readonly otherwise: Body }
  | { readonly kind: 'range'; readonly pipeline: Pipeline; readonly body: Body; readonly otherwise: Body }
  | { readonly kind: 'break'; readonly at: number }
  | { readonly kind: 'continue'; readonly at: number };

export type Body = readonly Node[];
