/** How a child process ended, in the words of a plugin's exit. Pure. */

import type { WireError } from '../../ipc/errors.ts';
import { pluginFrames } from '../../ipc/plugin-frames.ts';
import { oneLine } from '../base/one-line.ts';
import type { Exit } from './exit.ts';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

/** What V8 says before it aborts, whichever of its spaces is full. */
const OUT_OF_MEMORY = /^(?:FATAL ERROR: .*|# Fatal .*)out of memory/im;

export function exitOfChild({ code, signal, stderr }: ChildExit): Exit {
  const memory = signal === null ? null : OUT_OF_MEMORY.exec(stderr);
  if (memory !== null) {
    return { reason: 'out_of_memory', detail: lineAt(stderr, memory.index), stack: stderr, code: '' };
  }
  if (signal !== null) {
    return {
      reason: 'crash',
      detail: `its process was ended by ${signal}${hint(signal)}`,
      stack: stderr,
      code: signal,
    };
  }
  return { reason: 'exited', detail: `its process ended with code ${code ?? 'unknown'}`, stack: stderr, code: '' };
}

/** An uncaught error of the plugin, as the child reported it before it ended. */
export function exitOfError({ code, message, stack }: WireError): Exit {
  return { reason: 'crash', detail: oneLine(message), stack: pluginFrames(stack), code };
}

function hint(signal: NodeJS.Signals): string {
  return signal === 'SIGKILL' ? ', which khook did not send: the system was out of memory, or somebody ended it' : '';
}

function lineAt(text: string, index: number): string {
  return text.slice(index).split('\n', 1)[0] ?? '';
}
