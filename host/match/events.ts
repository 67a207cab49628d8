/** What the matcher says. */

import type { Rules } from './rules.ts';

export interface MatchEvents {
  /** Frames that are judged from now on are judged by these. */
  'rules:changed': Rules;
  /** First event of a type that no mapping knows; said once per source and type. `yaml` would map it. */
  'type:unmapped': { readonly source: string; readonly type: string; readonly yaml: string };
  'type:mapping-disabled': { readonly source: string; readonly type: string };
  'event:invalid': { readonly source: string; readonly type: string; readonly cause: string };
  /** Judging one event took the whole deadline: it is set aside as invalid. */
  'event:poisonous': { readonly source: string; readonly type: string; readonly cause: string };
  /** A prompt that is not a template: the Hook still fires with the raw text. */
  'hook:template-broken': { readonly hook: string; readonly configuration: number; readonly problem: string };
  /** A filter that is no CEL expression: the Hook is not ready, and matches nothing. `problem` begins with `line:column: `. */
  'hook:filter-broken': { readonly hook: string; readonly problem: string };
  /** A filter failed for an event, which it did not let through; said once per Hook and place in its filter. */
  'hook:filter-failed': { readonly hook: string; readonly problem: string };
}
