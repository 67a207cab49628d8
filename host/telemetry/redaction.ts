/** What must never stand in a log line: recognised by the name of its field, and inside text by its shape. */

const REDACTED = '[redacted]';

const SECRET_NAMES =
  /(?:token|authorization|password|passwd|passphrase|secret|apikey|accesskey|privatekey|clientkey|signature|cookie|credential|bearer)$/;

/** `token`, `Authorization`, `webhookToken`, `X-Api-Key`, `client_secrets`, …; not `tokenCount`, not `secretName`. */
export function isSecretName(name: string): boolean {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return SECRET_NAMES.test(letters.endsWith('s') ? letters.slice(0, -1) : letters);
}

/** What is logged in place of a value whose field has a secret's name. `tokens: 512` is a number of tokens, not a secret. */
export function redactValue(name: string, value: unknown): unknown {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && /s$/i.test(name)) return value;
  return REDACTED;
}

// Each pattern is linear: no nested quantifiers, and each starts at a literal. The text is bounded before it comes here.
const SECRETS_IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/(:\/\/[^\s:/@]{0,128}:)[^\s/@]{1,256}@/g, `$1${REDACTED}@`],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/g, REDACTED],
  [
    /((?:token|password|passwd|secret|api[-_]?key|authorization)["']?[=:] ?)(?:"[^"]{1,512}"?|'[^']{1,512}'?|[^\s"',;&)}\]]{1,512})/gi,
    `$1${REDACTED}`,
  ],
];

/** Free text with what looks like a secret in it taken out. */
export function redactText(text: string): string {
  let redacted = text;
  for (const [pattern, replacement] of SECRETS_IN_TEXT) redacted = redacted.replace(pattern, replacement);
  return redacted;
}
