/** Text out of an event on its way to a terminal: nothing in it may move the cursor, hide, or turn the direction of what follows. */

const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

export function plainText(text: string): string {
  return text.replace(HIDDEN, '');
}

/** On one line. */
export function plainLine(text: string): string {
  return plainText(text.replace(/\s+/g, ' '));
}
