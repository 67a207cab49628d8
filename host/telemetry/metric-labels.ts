/** Keeps label values a bounded set: whatever is said, a scrape does not grow without end. Beyond a bound a value becomes `other`. */

export const OTHER = 'other';

/** The names a label may take: first come, first served, up to `limit`. */
export class BoundedNames {
  readonly #limit: number;
  readonly #names = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  admit(name: string): string {
    if (this.#names.has(name)) return name;
    if (this.#names.size >= this.#limit) return OTHER;
    this.#names.add(name);
    return name;
  }
}

/** Value of a label as it can stand in the text format: bounded, and without halves of surrogate pairs, which would merge on the way out. */
export function labelText(text: string, limit = 128): string {
  return text.slice(0, limit).toWellFormed();
}

/**
 * Values of the label `plugin`. Registered plugins are bounded by the configuration; names that merely occur (a test event's source, an
 * event restored for a plugin that is gone) are bounded here. A removed plugin's late events do not bring its series back.
 */
export class PluginNames {
  readonly #registered = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #strangers = new BoundedNames(50);
  readonly #types = new Map<string, BoundedNames>();

  register(plugin: string): void {
    this.#registered.add(plugin);
    this.#removed.delete(plugin);
  }

  remove(plugin: string): void {
    this.#registered.delete(plugin);
    this.#types.delete(plugin);
    if (this.#removed.size >= 1_000) this.#removed.clear();
    this.#removed.add(plugin);
  }

  label(plugin: string): string {
    if (this.#registered.has(plugin)) return plugin;
    return this.#removed.has(plugin) ? OTHER : this.#strangers.admit(labelText(plugin));
  }

  /** Value of `event_type` beside the plugin label `plugin`. */
  eventType(plugin: string, type: string): string {
    let types = this.#types.get(plugin);
    if (types === undefined) {
      types = new BoundedNames(100);
      this.#types.set(plugin, types);
    }
    return types.admit(labelText(type));
  }
}
