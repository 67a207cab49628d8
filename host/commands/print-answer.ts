/** What a running host answers to one question, as JSON or in words. */

import type { Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { HostClient } from './host-client.ts';

/** `command`: whose words these are (`plugin list`). */
export async function printAnswer<T>(
  invocation: Invocation,
  { command, path }: { readonly command: string; readonly path: string },
  inWords: (value: T) => string,
): Promise<ExitCode> {
  const answer = await new HostClient(invocation, command).ask<T>({ method: 'GET', path });
  if (answer.kind === 'unreachable') return answer.code;
  if (answer.kind === 'refused') {
    invocation.stderr(`khook ${command}: ${answer.error}\n`);
    return EXIT_CODES.FAILED;
  }
  const isJson = invocation.flags.json === true;
  invocation.stdout(isJson ? `${JSON.stringify(answer.value, null, 2)}\n` : inWords(answer.value));
  return EXIT_CODES.OK;
}
