/**
 * Pictures of the dashboard for the documentation: `npm run screenshots`. A real host with the webhook plugin, a plugin that leaks and is recycled, and
 * events; a real Chromium. Takes a minute and a half, for the plots to have something to show.
 */

import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noBrowser, openPage } from '../test/support/browser.ts';
import { freePort, RunningHost } from '../test/support/running-host.ts';
import { tempDir } from '../test/support/temp-dir.ts';

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url));
const WARM_UP_MS = 80_000;
const EVENT_EVERY_MS = 700;
const MAX_BYTES = 200_000;
const [WIDTH, HEIGHT] = [1_560, 1_060];
const MESSAGES = ['deployment failed', 'latency over 2 s', 'queue is full', 'certificate expires in 3 days'];
const SERVICES = ['api', 'checkout', 'search', 'mail'];

const stack: (() => unknown)[] = [];
const scope = { after: (undo: () => unknown): void => void stack.unshift(undo) };

if (noBrowser !== false) {
  process.stderr.write(`${noBrowser}\n`);
  process.exit(1);
}
try {
  await shoot();
} finally {
  for (const undo of stack) await undo();
}

async function shoot(): Promise<void> {
  const port = await freePort();
  const host = await RunningHost.start(scope, {
    plugins: `plugins:
  - { name: webhook, required: true, config: { port: ${port} }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }
  - { name: leaky, config: { vice: 'leak an array' }, limits: { memoryMb: 192 } }
`,
    mappings: `mappings:
  - { eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived, severity: info }
`,
    hooks: {
      'webhook.yaml': hook('webhook-demo', 'WebhookReceived', ''),
      'urgent.yaml': hook('urgent-only', 'WebhookReceived', 'event.metadata.payload.urgent == true'),
      'pods.yaml': hook('pod-restarts', 'PodRestart', ''),
    },
    bundles: {
      webhook: 'plugins/webhook',
      kubernetes: 'plugins/kubernetes',
      leaky: renamed('test/fixtures/plugins/vice', 'leaky'),
    },
  });
  await host.plugin('webhook', 'running');
  process.stdout.write(`A host on ${host.metrics} is given events for ${WARM_UP_MS / 1_000} s\n`);
  const until = performance.now() + WARM_UP_MS;
  for (let n = 0; performance.now() < until; n += 1) {
    const body = {
      resource: `${SERVICES[n % SERVICES.length]}${n % 3 === 0 ? `-${n}` : ''}`,
      message: MESSAGES[n % MESSAGES.length],
      urgent: false,
      n,
    };
    await fetch(`http://127.0.0.1:${port}/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await new Promise((resolve) => setTimeout(resolve, EVENT_EVERY_MS));
  }
  mkdirSync(FOLDER, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await openPage(scope, `${host.metrics}/`, { colorScheme, width: WIDTH });
    await page.locator('#plots canvas').first().waitFor();
    await page.locator('#plugins tr', { hasText: 'leaky' }).waitFor();
    await keep(`dashboard-${colorScheme}.png`, (path) =>
      page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width: WIDTH, height: HEIGHT } }),
    );
    if (colorScheme === 'dark') continue;
    await page.locator('#hooks button.open', { hasText: 'urgent-only' }).click();
    await page.locator('#hooks tr.detail', { hasText: 'Nearest misses' }).waitFor();
    await keep('hook-misses.png', (path) => page.locator('#hooks').screenshot({ path }));
  }
}

async function keep(name: string, take: (path: string) => Promise<unknown>): Promise<void> {
  const path = join(FOLDER, name);
  await take(path);
  const { size } = statSync(path);
  process.stdout.write(`${join(dirname(path), name)}: ${Math.round(size / 1_000)} kB\n`);
  if (size > MAX_BYTES) throw new Error(`${name} has ${size} bytes, more than ${MAX_BYTES}`);
}

/** A bundle under another name. */
function renamed(bundle: string, name: string): string {
  const folder = join(tempDir(scope), name);
  cpSync(bundle, folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, name }));
  return folder;
}

function hook(name: string, eventType: string, filter: string): string {
  const eventConfigurations = [{ eventType, agentRef: { name: 'k8s-agent' }, prompt: 'Look at {{.ResourceName}}' }];
  const spec = { eventConfigurations, ...(filter !== '' && { filter }) };
  return JSON.stringify({
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name, namespace: 'default' },
    spec,
  });
}
