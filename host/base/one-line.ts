/** A text of several lines, such as what a validator says, in one: a log line and a table have room for no more. */

const LIMIT = 1_024;

export function oneLine(text: string): string {
  const line = text
    .split('\n')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
  return line.length > LIMIT ? `${line.slice(0, LIMIT)}…` : line;
}
