// Runs in the plugin's thread.
/**
 * Scripts of node:vm. V8 runs what lies in a code cache without looking at it: a spoiled one ends the whole process. So none is taken;
 * the script is compiled from its text. The native class behind Script, which asserts what it is called with, is out of reach.
 */

import { intercept, lock } from './lock.ts';
import { type AnyFunction, apply, construct, create, get, getPrototypeOf, PlainProxy } from './primordials.ts';
import type { Refusals } from './refusal.ts';

type Options = Record<string, unknown>;

const WHY = 'V8 runs what is in it unchecked';
const STRANGE = 'called in a way that Node never does it would abort the process';
/** Context, timeout, and three switches. */
const RUN_ARGUMENTS = 5;
const functionPrototype = getPrototypeOf(construct);

export function guardScripts(vm: Record<string, unknown>, refusals: Refusals): void {
  const withoutCache = (given: unknown): unknown => {
    if (typeof given !== 'object' || given === null) return given;
    const options = create(null) as Options;
    for (const key in given) options[key] = get(given, key);
    if (options.cachedData === undefined) return options;
    options.cachedData = undefined;
    refusals.report('a code cache of vm', WHY);
    return options;
  };
  intercept(vm, 'compileFunction', (original, self, args) => {
    if (args.length > 2) args[2] = withoutCache(args[2]);
    return apply(original, self as object, args);
  });
  const original = vm.Script as AnyFunction;
  const Script = new PlainProxy(original, {
    __proto__: null,
    construct: (target, args, newTarget) => construct(target, [args[0], withoutCache(args[1])], newTarget),
    getPrototypeOf: () => functionPrototype,
  } as ProxyHandler<AnyFunction>);
  const { prototype } = original as unknown as { prototype: object };
  const native = getPrototypeOf(prototype) as object;
  lock(prototype, 'constructor', Script);
  lock(native, 'constructor', undefined);
  intercept(native, 'runInContext', (run, self, args) => {
    let isSound = args.length === RUN_ARGUMENTS && args[0] === null && typeof args[1] === 'number';
    for (let at = 2; at < RUN_ARGUMENTS; at += 1) isSound &&= typeof args[at] === 'boolean';
    if (!isSound) throw refusals.error('the native class of vm.Script', STRANGE);
    return apply(run, self as object, args);
  });
  lock(vm, 'Script', Script);
}
