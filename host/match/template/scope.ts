/** What names mean while a template is parsed: variables as slots, and whether the dot is still the root. */

export class Scope {
  readonly #names: string[] = ['$'];
  /** How many enclosing `range` and `with` bodies have moved the dot. */
  #movedDots = 0;
  #loops = 0;
  #slotCount = 1;

  get isDotTheRoot(): boolean {
    return this.#movedDots === 0;
  }

  get isInLoop(): boolean {
    return this.#loops > 0;
  }

  /** How many slots a rendering needs. */
  get slotCount(): number {
    return this.#slotCount;
  }

  /** The slot of the innermost variable of that name, or -1. */
  find(name: string): number {
    return this.#names.lastIndexOf(name);
  }

  declare(name: string): number {
    const slot = this.#names.push(name) - 1;
    this.#slotCount = Math.max(this.#slotCount, slot + 1);
    return slot;
  }

  /** Variables declared inside `parse` end with it. */
  nested<T>(parse: () => T): T {
    const depth = this.#names.length;
    const value = parse();
    this.#names.length = depth;
    return value;
  }

  /** The body of a `range` or a `with`: the dot is another one. */
  body<T>(kind: 'range' | 'with' | 'if', parse: () => T): T {
    if (kind !== 'if') this.#movedDots += 1;
    if (kind === 'range') this.#loops += 1;
    const value = parse();
    if (kind !== 'if') this.#movedDots -= 1;
    if (kind === 'range') this.#loops -= 1;
    return value;
  }
}
