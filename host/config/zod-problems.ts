/** Checks a value of a user's file against a zod schema (made by hand or from JSON Schema); what is wrong comes back as Problems with positions. */

import type * as z from 'zod';
import { hasPlaceholder } from './expand.ts';
import { rereadAsWanted } from './expanded-scalars.ts';
import { formatPath, type Place, problemAt, valueAt, type YamlPath } from './place.ts';
import type { Problem } from './problem.ts';
import { keysAt, nodesAt } from './schema-node.ts';
import { didYouMean, nearestWord } from './suggest.ts';
import { expectedType, type IssueView, mustBe, mustBeOneOf, type Words, wordsOf } from './zod-words.ts';

export type Checked<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

export interface CheckOptions {
  /** What one value is called: `configuration` → `configuration 'port' must be …`. */
  readonly noun?: string;
  /** What an unknown key is called: `configuration key` → `unknown configuration key: prot`. */
  readonly keyNoun?: string;
  /** For what is switched off: wrong types and unknown keys count, ranges and missing keys do not. */
  readonly isShapeOnly?: boolean;
  /** The caller's own sentence for an issue, or null for the usual one. */
  readonly reword?: (view: IssueView) => string | null;
}

const MAX_PROBLEMS = 50;
const MAX_DEPTH = 64;
/** Keys that are told where none is near the one that is not known. */
const MAX_KEYS = 12;

/** Place = { file, document | null, basePath, subject }, see place.ts. The value is not changed. */
export function checkConfig<S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: Place,
  options: CheckOptions = {},
): Checked<z.output<S>> {
  const checked = checkWithPaths(schema, value, place, options);
  return checked.kind === 'ok' ? checked : { kind: 'bad', problems: checked.found.map(({ problem }) => problem) };
}

export interface FoundProblem {
  readonly problem: Problem;
  /** Relative to the place. */
  readonly path: YamlPath;
}

export type CheckedWithPaths<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'bad'; readonly found: readonly FoundProblem[] };

/** The same for a caller that mends what is wrong and goes on. */
export function checkWithPaths<S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: Place,
  options: CheckOptions = {},
): CheckedWithPaths<z.output<S>> {
  let checkedValue = value;
  let result = schema.safeParse(value);
  if (!result.success) {
    checkedValue = rereadAsWanted(schema, { value, issues: result.error.issues, place });
    if (checkedValue !== value) result = schema.safeParse(checkedValue);
  }
  const issues = result.success ? [] : result.error.issues;
  const report = new Report({ schema, value: checkedValue, place, options });
  for (const path of protoKeys(value, [])) report.addUnknownKey(path);
  // A key with a slip in it is why the right one is missing.
  const isSlip = (issue: z.core.$ZodIssue): boolean => isWhyMissing(issue, issues, schema);
  for (const issue of [...issues.filter(isSlip), ...issues.filter((each) => !isSlip(each))]) report.add(issue, []);
  if (report.found.length > 0) return { kind: 'bad', found: report.found };
  // Only a check of the shape alone can have issues and nothing to report.
  return { kind: 'ok', value: (result.success ? result.data : checkedValue) as z.output<S> };
}

interface Subject {
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly place: Place;
  readonly options: CheckOptions;
}

class Report {
  readonly found: FoundProblem[] = [];
  readonly #subject: Subject;
  readonly #seen = new Set<string>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  add(issue: z.core.$ZodIssue, above: YamlPath): void {
    const path = [...above, ...(issue.path as YamlPath)];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.addUnknownKey([...path, key]);
      return;
    }
    if (issue.code === 'invalid_union') {
      this.#addUnion(issue, path);
      return;
    }
    if (issue.code === 'invalid_element' || issue.code === 'invalid_key') {
      for (const inner of issue.issues) this.add(inner, path);
      return;
    }
    if (this.#isIgnored(issue, path)) return;
    this.#push(path, wordsOf, issue);
  }

  addUnknownKey(path: YamlPath): void {
    const { schema, options, place } = this.#subject;
    const key = String(path.at(-1));
    const message = `unknown ${options.keyNoun ?? 'configuration key'}: ${formatPath(path)}`;
    const known = keysAt(schema, path.slice(0, -1));
    const fix = didYouMean(key, known) || keysThatAre(known);
    const text = { code: 'HOST_ERR_CONFIG_KEY', message, fix, part: 'key' } as const;
    this.#keep(path, problemAt(place, path, text));
  }

  /** Types that would do are named together; else the alternative that fits best speaks for itself. */
  #addUnion(issue: z.core.$ZodIssueInvalidUnion, path: YamlPath): void {
    if (this.#isIgnored(issue, path)) return;
    const choices = (issue as { options?: readonly unknown[] }).options;
    if (issue.errors.length === 0) {
      this.#push(
        path,
        (view) => (choices === undefined ? wordsOf(view) : mustBeOneOf(view, choices.map(String))),
        issue,
      );
      return;
    }
    const fitting = issue.errors.filter(
      (branch) => !branch.some((inner) => inner.path.length === 0 && isTypeIssue(inner)),
    );
    const best = fitting.sort((a, b) => a.length - b.length)[0];
    if (best !== undefined) {
      for (const inner of best) this.add(inner, path);
      return;
    }
    const expected = issue.errors.flat().flatMap((inner) => expectations(inner));
    this.#push(
      path,
      (view) =>
        mustBe(
          view,
          expected.map((type) => expectedType(type, view.nodes)),
        ),
      issue,
    );
  }

  #isIgnored(issue: z.core.$ZodIssue, path: YamlPath): boolean {
    const { value, place, options } = this.#subject;
    if (!options.isShapeOnly) return false;
    const isUnset = valueAt(value, path) === undefined;
    return isUnset || !(isTypeIssue(issue) || issue.code === 'invalid_union') || hasPlaceholder(rawAt(place, path));
  }

  #push(path: YamlPath, words: (view: IssueView) => Words, issue: z.core.$ZodIssue): void {
    const { schema, value, place, options } = this.#subject;
    const noun = options.noun ?? 'configuration';
    const view: IssueView = {
      issue,
      name: path.length === 0 ? noun : `${noun} '${formatPath(path)}'`,
      value: valueAt(value, path),
      isHidden: typeof valueAt(value, path) !== 'number' && hasPlaceholder(rawAt(place, path)),
      nodes: nodesAt(schema, path),
    };
    const own = options.reword?.(view) ?? null;
    const text = own === null ? words(view) : { message: own, fix: '' };
    this.#keep(path, problemAt(place, path, { code: 'HOST_ERR_CONFIG_VALUE', ...text }));
  }

  /** zod can say the same thing twice, as a safe integer and as a number. */
  #keep(path: YamlPath, problem: Problem): void {
    const key = `${problem.path} ${problem.message}`;
    if (this.#seen.has(key) || this.found.length >= MAX_PROBLEMS) return;
    this.#seen.add(key);
    this.found.push({ path, problem });
  }
}

/** `eventTyp` where `eventType` is missed. */
function isWhyMissing(issue: z.core.$ZodIssue, all: readonly z.core.$ZodIssue[], schema: z.ZodType): boolean {
  if (issue.code !== 'unrecognized_keys') return false;
  const path = issue.path as YamlPath;
  const missed = issue.keys.flatMap((key) => {
    const near = nearestWord(key, keysAt(schema, path));
    return near === null ? [] : [formatPath([...path, near])];
  });
  return all.some((other) => missed.includes(formatPath(other.path as YamlPath)));
}

function isTypeIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function expectations(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'invalid_type') return [issue.expected];
  return issue.code === 'invalid_value' ? issue.values.map(String) : [];
}

/** What stands in the file, before expansion. */
function rawAt(place: Place, path: YamlPath): unknown {
  return valueAt(place.document?.value, [...place.basePath, ...path]);
}

/** zod passes over a `__proto__` key in silence; nobody writes one by mistake. */
function protoKeys(value: unknown, path: YamlPath): YamlPath[] {
  if (typeof value !== 'object' || value === null || path.length > MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const step = Array.isArray(value) ? Number(key) : key;
    return key === '__proto__' ? [[...path, key]] : protoKeys(item, [...path, step]);
  });
}

function keysThatAre(known: readonly string[]): string {
  return known.length === 0 || known.length > MAX_KEYS ? '' : `known here: ${known.join(', ')}`;
}
