/** `khook emit`: sends a test event through a running host, in the name of any source, and tells what became of it. */

import { messageOf } from '../../ipc/errors.ts';
import type { EventSnapshot, TestEvent } from '../http/view.ts';
import { type Command, flagList, flagText, type Invocation } from './command.ts';
import { eventText } from './event-text.ts';
import { EXIT_CODES } from './exit-code.ts';
import { HostClient, URL_FLAG } from './host-client.ts';

export const emit: Command = {
  name: 'emit',
  summary: 'Send a test event through a running host and tell what became of it',
  usage: 'SOURCE TYPE [flags]',
  positionals: { min: 2, max: 2 },
  flags: [
    { name: 'resource', value: 'NAME', description: 'What the event is about.', default: 'test' },
    { name: 'message', value: 'TEXT', description: 'What happened.', default: 'A test event from khook emit' },
    { name: 'namespace', short: 'n', value: 'NAME', description: 'Namespace of the resource.' },
    { name: 'reason', value: 'WORD', description: 'Short cause, such as BackOff.' },
    { name: 'metadata', value: 'JSON', description: 'An object with further data.' },
    { name: 'tag', value: 'KEY=VALUE', multiple: true, description: 'A tag; may be given several times.' },
    URL_FLAG,
    { name: 'json', description: 'Print the event as JSON.' },
  ],
  examples: [
    "khook emit webhook webhook-received --resource api --message 'the API is down'",
    'khook emit kubernetes pod-restart -n default --resource web-0 --reason BackOff',
  ],
  async run(invocation) {
    const event = readEvent(invocation);
    if (typeof event === 'string') {
      invocation.stderr(`khook emit: ${event}\n`);
      return EXIT_CODES.USAGE;
    }
    const answer = await new HostClient(invocation, 'emit').ask<EventSnapshot>({
      method: 'POST',
      path: '/api/v1/emit',
      body: event,
    });
    if (answer.kind === 'unreachable') return answer.code;
    if (answer.kind === 'refused') {
      invocation.stderr(`khook emit: the host refused the event: ${answer.error}\n`);
      return EXIT_CODES.FAILED;
    }
    const isJson = invocation.flags.json === true;
    invocation.stdout(isJson ? `${JSON.stringify(answer.value, null, 2)}\n` : eventText(answer.value));
    return EXIT_CODES.OK;
  },
};

/** The event, or what is wrong with the command line. */
function readEvent(invocation: Invocation): TestEvent | string {
  const [source = '', type = ''] = invocation.positionals;
  const tags: Record<string, string> = {};
  for (const tag of flagList(invocation, 'tag')) {
    const cut = tag.indexOf('=');
    if (cut < 1) return `--tag must be KEY=VALUE, got '${tag}'`;
    tags[tag.slice(0, cut)] = tag.slice(cut + 1);
  }
  const metadata = readMetadata(flagText(invocation, 'metadata'));
  if (typeof metadata === 'string') return metadata;
  const namespace = flagText(invocation, 'namespace');
  const reason = flagText(invocation, 'reason');
  return {
    source,
    type,
    resourceName: flagText(invocation, 'resource') ?? 'test',
    message: flagText(invocation, 'message') ?? 'A test event from khook emit',
    ...(namespace === null ? {} : { namespace }),
    ...(reason === null ? {} : { reason }),
    ...(metadata === null ? {} : { metadata }),
    tags,
  };
}

function readMetadata(text: string | null): Record<string, unknown> | string | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    return `--metadata must be a JSON object: ${messageOf(error)}`;
  }
  return '--metadata must be a JSON object, such as {"pod":"web-0"}';
}
