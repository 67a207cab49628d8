/** `${config.port}` in a permission list: looked up in the plugin's own resolved configuration. Pure. */

const REFERENCE = /\$\{config\.([^}]*)\}/g;
const WHOLE = /^\$\{config\.([^}]*)\}$/;

export interface ReferenceScope {
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether the manifest's schema knows the key, so that an optional one that is not set asks for nothing. */
  readonly declares: (path: readonly string[]) => boolean;
}

export interface ResolvedList {
  readonly values: readonly unknown[];
  /** One sentence for each reference that could not be resolved. */
  readonly faults: readonly { readonly index: number; readonly message: string }[];
}

/** A reference that is the whole item keeps its type and spreads a list; one inside a text becomes part of the text. */
export function resolveReferences(items: readonly (string | number)[], scope: ReferenceScope): ResolvedList {
  const values: unknown[] = [];
  const faults: { index: number; message: string }[] = [];
  for (const [index, item] of items.entries()) {
    const resolved = typeof item === 'number' ? { values: [item], fault: null } : resolveItem(item, scope);
    values.push(...resolved.values);
    if (resolved.fault !== null) faults.push({ index, message: resolved.fault });
  }
  return { values, faults };
}

interface ResolvedItem {
  readonly values: readonly unknown[];
  readonly fault: string | null;
}

function resolveItem(item: string, scope: ReferenceScope): ResolvedItem {
  const whole = WHOLE.exec(item);
  if (whole !== null) {
    const found = lookUp(whole[1] ?? '', scope);
    if (found.kind === 'unknown') return { values: [], fault: unknownReference(item) };
    if (found.kind === 'unset') return { values: [], fault: null };
    return { values: Array.isArray(found.value) ? found.value : [found.value], fault: null };
  }
  let fault: string | null = null;
  let isUnset = false;
  const text = item.replace(REFERENCE, (reference, path: string) => {
    const found = lookUp(path, scope);
    if (found.kind === 'unset') isUnset = true;
    if (found.kind === 'unknown') fault ??= unknownReference(reference);
    if (found.kind === 'value' && typeof found.value === 'object') fault ??= notText(reference);
    return found.kind === 'value' ? String(found.value) : '';
  });
  return fault !== null || isUnset ? { values: [], fault } : { values: [text], fault: null };
}

type Found =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unset' }
  | { readonly kind: 'unknown' };

function lookUp(path: string, scope: ReferenceScope): Found {
  const keys = path.split('.');
  let value: unknown = scope.config;
  for (const key of keys) {
    // Own keys alone: `${config.constructor.name}` names nothing.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      return { kind: scope.declares(keys) ? 'unset' : 'unknown' };
    }
    value = (value as Record<string, unknown>)[key];
  }
  return value === undefined || value === null ? { kind: 'unset' } : { kind: 'value', value };
}

function unknownReference(reference: string): string {
  return `'${reference}' refers to a configuration key that is neither set nor known to the manifest's config schema`;
}

function notText(reference: string): string {
  return `'${reference}' is inside a text and refers to a list or a mapping; make it the whole item`;
}
