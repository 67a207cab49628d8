import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pluginFrames, thrownAt } from '../../ipc/plugin-frames.ts';

const IPC = new URL('../../ipc/', import.meta.url).href;
const STACK = [
  'Error: broker said no',
  '    at connect (file:///plugins/mq/index.js:2:28)',
  `    at PluginRuntime.start (${IPC}runtime/plugin-runtime.ts:78:25)`,
  '    at new Promise (<anonymous>)',
  '    at async file:///plugins/mq/index.js:9:1',
  '    at MessagePort.<anonymous> (node:internal/per_context/messageport:23:28)',
  '    at listOnTimeout (node:internal/timers:685:17)',
];

it('plugin frames: leaves the frames of khook and of Node out of a stack, and keeps all other lines', () => {
  const cause = ['[cause]: Error: refused', '    at f (file:///plugins/mq/wire.js:1:1)'];
  assert.equal(pluginFrames([...STACK, ...cause].join('\n')), [STACK[0], STACK[1], STACK[4], ...cause].join('\n'));
});

it('plugin frames: keeps a stack that has no frame of the plugin', () => {
  const stack = [STACK[0], STACK[2], STACK[5]].join('\n');
  assert.equal(pluginFrames(stack), stack);
  assert.equal(pluginFrames(''), '');
});

it('plugin frames: says where it was thrown', () => {
  assert.equal(thrownAt(STACK.join('\n')), ' (at connect (file:///plugins/mq/index.js:2:28))');
  assert.equal(thrownAt([STACK[0], STACK[5]].join('\n')), '');
});
