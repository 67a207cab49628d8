/**
 * `${VAR}` and `${VAR:-default}` in the values of a configuration file: expanded once, from left to right; what a variable holds is
 * never looked at again. `$${` is a literal `${`. `${config.x}` is left alone: the plan resolves it when the plugin's config is known.
 */

import { isScalar, parseDocument } from 'yaml';
import { type Place, problemAt, type YamlPath } from './place.ts';
import type { Problem } from './problem.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

export interface Expansion {
  readonly value: unknown;
  /** Names of the variables that were looked up, sorted. */
  readonly used: readonly string[];
  readonly problems: readonly Problem[];
}

const PLACEHOLDER = /\$\$\{|\$\{(?:config\.[^}]*\}|([A-Za-z_]\w*)(?::-([^}]*))?\})?/g;
const LONE_PLACEHOLDER = /^\$\{[A-Za-z_]\w*(?::-[^}]*)?\}$/;

/** Never changes `value`; gives a copy. Keys are not expanded. */
export function expandVariables(value: unknown, variables: Variables, place: Place): Expansion {
  const used = new Set<string>();
  const problems: Problem[] = [];

  const expandText = (text: string, path: YamlPath): unknown => {
    if (!text.includes('${')) return text;
    const report = (message: string, fix: string): void => {
      problems.push(problemAt(place, path, { code: 'HOST_ERR_CONFIG_ENV', message, fix }));
    };
    const expanded = text.replace(PLACEHOLDER, (found: string, name?: string, fallback?: string) => {
      if (found === '$${') return '${';
      if (name === undefined) {
        if (found === '${')
          report('`${` begins no placeholder', 'write ${NAME}, ${NAME:-default}, or $${ for a literal ${');
        return found;
      }
      used.add(name);
      if (fallback?.includes('${')) {
        report(
          `the default of \${${name}} contains another placeholder`,
          'placeholders are expanded once; use a plain default',
        );
        return found;
      }
      const held = Object.hasOwn(variables, name) ? variables[name] : undefined;
      // Shell semantics of `:-`: an empty variable takes the default too.
      if (fallback !== undefined) return held === undefined || held === '' ? fallback : held;
      if (held !== undefined) return held;
      report(`environment variable ${name} is not set`, `set it, or give a default: \${${name}:-default}`);
      return found;
    });
    return isLonePlaceholder(text) ? rereadLossless(expanded) : expanded;
  };

  const expand = (current: unknown, path: YamlPath): unknown => {
    if (typeof current === 'string') return expandText(current, path);
    if (Array.isArray(current)) return current.map((item, index) => expand(item, [...path, index]));
    if (typeof current !== 'object' || current === null) return current;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(current)) {
      Object.defineProperty(copy, key, {
        value: expand(item, [...path, key]),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return copy;
  };

  return { value: expand(value, []), used: [...used].sort(), problems };
}

/** Whether the whole text is one placeholder. */
export function isLonePlaceholder(text: unknown): text is string {
  return typeof text === 'string' && LONE_PLACEHOLDER.test(text);
}

/** Whether a value was written with a placeholder: it may hold a secret, so messages do not show it. */
export function hasPlaceholder(text: unknown): boolean {
  return typeof text === 'string' && text.includes('${');
}

/** `text` as YAML reads it unquoted: 8090, 1.0 and 0x1F are numbers, true a boolean, null nothing; everything else, also empty, is text. */
export function readScalar(text: string): unknown {
  if (text === '' || text.length > 64 || /[\s#]/.test(text)) return text;
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0 || document.warnings.length > 0 || !isScalar(document.contents)) return text;
  const { value } = document.contents;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : text;
}

/**
 * The same, but only where the text can be had back. A token that happens to read `007` or `12e45` must reach a string setting as it is;
 * `checkConfig` knows the type that is wanted and reads such a text as a number where a number is wanted.
 */
function rereadLossless(text: string): unknown {
  const value = readScalar(text);
  return String(value) === text ? value : text;
}
