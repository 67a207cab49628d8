/** Many firings of one Hook as one prompt: how many, about what, and three of them as they would have been sent. Pure. */

import type { Firing } from '../match/verdict.ts';

const SAMPLES = 3;
const MAX_SAMPLE_LENGTH = 12_000;
const MAX_RESOURCES = 50;
/** The resources of events are named by whoever sends them: only what can be nothing but a name is shown. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,252}$/;

/** In the order of their events. `callsPerHour` is the budget that was used up. */
export function digestPrompt(firings: readonly Firing[], callsPerHour: number): string {
  const [first] = firings;
  const calls = callsPerHour === 1 ? '1 call' : `${callsPerHour} calls`;
  const samples = chosen(firings);
  return [
    `This is a digest of ${firings.length} events. Hook ${first?.hook ?? ''} has used up its budget of ${calls} an hour, so they are reported together and not one by one. Look for what they have in common before you act on any of them.`,
    `\nResources: ${resources(firings)}`,
    `\n${samples.length} of the ${firings.length} reports, each as it would have been sent:`,
    ...samples.map(({ firing, number }) => `\n--- Report ${number} of ${firings.length} ---\n${sample(firing.prompt)}`),
    '\n--- End of the digest ---',
  ].join('\n');
}

/** The first, the middle and the last. */
function chosen(firings: readonly Firing[]): { readonly firing: Firing; readonly number: number }[] {
  const last = firings.length - 1;
  const places = new Set(Array.from({ length: SAMPLES }, (_, n) => Math.floor((last * n) / (SAMPLES - 1))));
  return [...places].flatMap((place) => {
    const firing = firings[place];
    return firing === undefined ? [] : [{ firing, number: place + 1 }];
  });
}

function resources(firings: readonly Firing[]): string {
  const counts = new Map<string, number>();
  let unnamed = 0;
  for (const { namespace, resourceName } of firings) {
    const name = namespace === '' ? resourceName : `${namespace}/${resourceName}`;
    if (PLAIN_NAME.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
    else unnamed += 1;
  }
  const names = [...counts].sort(([, a], [, b]) => b - a);
  const shown = names.slice(0, MAX_RESOURCES).map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  const more = names.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  if (unnamed > 0) shown.push(`and ${unnamed} events of resources with other names`);
  return shown.join(', ');
}

/** One that is cut within marks of untrusted text ends outside of them. */
function sample(prompt: string): string {
  if (prompt.length <= MAX_SAMPLE_LENGTH) return prompt;
  const cut = prompt.slice(0, MAX_SAMPLE_LENGTH).toWellFormed();
  const mark = /<(untrusted-event-data-[0-9a-f]+)>/.exec(cut)?.[1];
  const isOpen = mark !== undefined && cut.lastIndexOf(`<${mark}>`) > cut.lastIndexOf(`</${mark}>`);
  return `${cut}${isOpen ? `</${mark}>` : ''}… [cut, ${prompt.length - MAX_SAMPLE_LENGTH} characters more]`;
}
