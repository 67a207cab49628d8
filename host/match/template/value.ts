/**
 * Go's view of JSON values. Only own enumerable properties exist. A whole number stands for Go's int and any other for float64;
 * undefined is a value that is not there, null is nil.
 */

export type ValueMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** Undefined when there is none. */
export function ownProperty(map: ValueMap, key: string): unknown {
  return Object.prototype.propertyIsEnumerable.call(map, key) ? map[key] : undefined;
}

/** In the order in which Go ranges over a map. */
export function sortedKeys(map: ValueMap): string[] {
  return Object.keys(map).sort();
}

/** What `if`, `with`, `and`, `or` and `not` go by: neither zero nor empty. */
export function isTrue(value: unknown): boolean {
  if (isNothing(value)) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return value !== 0 && value !== '' && value !== false;
}

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** As Go would name the type in a message. */
export function typeName(value: unknown): string {
  if (isNothing(value)) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return isInteger(value) ? 'int' : 'float64';
  return 'string';
}
