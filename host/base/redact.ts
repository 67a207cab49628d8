/**
 * What must stand in no prompt, trail or log line: recognised by the name of its field, and inside text by its shape. The one
 * place of it for all rooms. A guess in both directions: what it takes for a secret costs a word, what it misses is told.
 */

export const REDACTED = '[redacted]';

const SECRET_NAMES =
  /(?:token|authorization|password|passwd|passphrase|secret|apikey|accesskey|privatekey|clientkey|signature|cookie|credential|bearer)$/;

/** The same few names come with every event and every line. */
const known = new Map<string, boolean>();
const MAX_KNOWN = 1_000;
const MAX_KNOWN_LENGTH = 64;

/** `token`, `Authorization`, `webhookToken`, `X-Api-Key`, `client_secrets`, …; not `tokenCount`, not `secretName`. */
export function isSecretName(name: string): boolean {
  let isSecret = known.get(name);
  if (isSecret === undefined) {
    const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '');
    isSecret = SECRET_NAMES.test(letters.endsWith('s') ? letters.slice(0, -1) : letters);
    if (known.size < MAX_KNOWN && name.length <= MAX_KNOWN_LENGTH) known.set(name, isSecret);
  }
  return isSecret;
}

/** What is shown in place of a value whose field has a secret's name. `tokens: 512` is a number of tokens, not a secret. */
export function redactValue(name: string, value: unknown): unknown {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && /s$/i.test(name)) return value;
  return REDACTED;
}

/** `{name: 'TOKEN', value: '…'}`: how a list of environment variables or headers looks. */
export function isNamedSecret(record: { readonly name?: unknown }): boolean {
  return typeof record.name === 'string' && isSecretName(record.name);
}

type Rule = readonly [pattern: RegExp, replace: (...groups: string[]) => string];

// Each pattern is linear in the text: it starts at a literal, nothing nested is repeated, what is repeated is bounded or ends the match.
const RULES: readonly Rule[] = [
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/g, () => REDACTED],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*/g, () => REDACTED],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g, () => REDACTED],
  [/\b(?:gh[opsru]_|github_pat_|glpat-|dckr_pat_|npm_|hf_|[sr]k_live_|[sr]k_test_)[A-Za-z0-9_-]{16,}/g, () => REDACTED],
  [/\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35})/g, () => REDACTED],
  [
    /(?<![A-Za-z0-9-])sk-[A-Za-z0-9_-]{20,}/g,
    // A name of lower-case words is the name of something; keys of this kind mix.
    (key) => (/[0-9]/.test(key) && /[A-Z]/.test(key) ? REDACTED : key),
  ],
  [/(:\/\/[^\s:/?#@]{0,128}:)[^\s/?#@]{1,256}@/g, (_, head) => `${head}${REDACTED}@`],
  [
    /\b(authorization\\{0,2}["']? ?[:=] ?\\{0,2}["']?)(?:(basic|bearer|token|digest|negotiate|apikey|aws4-hmac-sha256) +)?(?!\[redacted)([^\s"'\\,;&)}\]]{1,4096})/gi,
    (all, head, scheme, value) => {
      if (scheme === undefined && isProse(value)) return all;
      return `${head}${scheme === undefined ? '' : `${scheme} `}${REDACTED}`;
    },
  ],
  [
    /\b(bearer|basic) +([A-Za-z0-9._~+/=-]{8,4096})/gi,
    (all, scheme, value) => (isRandom(value) ? `${scheme} ${REDACTED}` : all),
  ],
  [
    /((?:--[a-z-]{0,40})?(token|password|passwd|pwd|passphrase|secret|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|credentials?))(\\{0,2}["']?(?: ?= ?|: ?)| (?=[^-\s=:]))(?:(\\{0,2}")[^"\\]{1,4096}|(\\{0,2}')[^'\\]{1,4096}|([^\s"'\\,;&(){}[\]<>]{1,4096}))/gi,
    namedValue,
  ],
  // Last: it takes the rest of the line, quotes of others not among it.
  [
    /\b((?:set-)?cookie\\{0,2}["']? ?: ?\\{0,2}["']?)([^\r\n"'\\]{1,4096})/gi,
    (all, head, value) => (value.includes('=') ? `${head}${REDACTED}` : all),
  ],
];

/** Some word of each rule: most texts have none of them, and are through with one look. */
const SUSPICIOUS =
  /PRIVATE KEY|eyJ|(?:AKIA|ASIA|ABIA|ACCA)|gh[opsru]_|_pat_|glpat-|npm_|hf_|k_live_|k_test_|xox|AIza|sk-|:\/\/|authorization|bearer|basic|cookie|token|passw|passphrase|pwd|secret|key|credential/i;

/** Free text with what looks like a secret in it taken out. Linear in the length of the text. */
export function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  let redacted = text;
  for (const [pattern, replace] of RULES) redacted = redacted.replace(pattern, replace);
  return redacted;
}

/** `password=x`, `"token": "x"`, `--secret x`. Only a flag may stand apart from its value by nothing but a space. */
function namedValue(all: string, name = '', noun = '', separator = '', double = '', single = '', bare = ''): string {
  if (separator === ' ' && !name.startsWith('--')) return all;
  const quote = double || single;
  if (bare !== '' && !isSecret(noun.toLowerCase(), separator, bare)) return all;
  return `${name}${separator}${quote}${REDACTED}`;
}

function isSecret(noun: string, separator: string, value: string): boolean {
  if (value.startsWith(REDACTED.slice(0, 4)) || NO_SECRETS.test(value)) return false;
  // With an equals sign, or nothing in between, it is a setting. With a colon and a space it may be a sentence.
  if (!separator.endsWith(' ') || separator.includes('=')) return true;
  if (noun.startsWith('pass') || noun === 'pwd') return !isProse(value) || !SAID_OF_PASSWORDS.test(value);
  if (isProse(value)) return false;
  return !(noun === 'secret' && NAME_OF_A_SECRET.test(value));
}

const NO_SECRETS = /^(?:true|false|null|nil|none|undefined|yes|no|\*+)[.:]?$/i;
const SAID_OF_PASSWORDS =
  /^(?:a|an|and|authentication|cannot|does|empty|error|expired|failed|file|for|has|incorrect|invalid|is|mismatch|missing|must|no|not|required|should|string|the|too|unknown|was|wrong)$/;
/** `registry-credentials`, `kube-system/dashboard-x7k2p`: the name of a Secret, not what is in it. */
const NAME_OF_A_SECRET = /^(?=.{1,127}$)(?=[a-z0-9.]*[-/])[a-z0-9][a-z0-9./-]*$/;

/** A word of a sentence, or the name of a token of a language (`unexpected token: EOF`). */
function isProse(value: string): boolean {
  return /^(?:[A-Z]?[a-z]+(?:-[a-z]+)*|[A-Z]{1,8})[.:!?]?$/.test(value);
}

/** Made by a machine: it has digits, or changes case inside. */
function isRandom(value: string): boolean {
  return /[0-9]/.test(value) || (value.length >= 12 && /[a-z][A-Z]/.test(value)) || value.length >= 32;
}
