/** The YAML that would map an event type that no mapping knows. */

/** A fragment of event-mappings.yaml. */
export function suggestMapping(source: string, type: string): string {
  return [
    'mappings:',
    `  - eventSource: ${scalar(source)}`,
    `    eventType: ${scalar(type)}`,
    `    internalType: ${scalar(pascalCase(type))}`,
    '    severity: info',
  ].join('\n');
}

/** `pod-restart` → `PodRestart`. */
export function pascalCase(type: string): string {
  const words = type.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return /^\p{L}/u.test(joined) ? joined : `Event${joined}`;
}

/** Plain when YAML can read it as nothing but a text, else quoted: JSON's quoting is YAML's too. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/.test(text);
  return isPlain && !/^(y|n|yes|no|on|off|true|false|null|nan)$/i.test(text) ? text : JSON.stringify(text);
}
