/** The dashboard in a real browser, over a real host. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { noBrowser, openPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { childrenOf } from '../support/process-stats.ts';
import { freePort, RunningHost } from '../support/running-host.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const PLUGINS = JSON.stringify({
  plugins: [
    { name: 'puppet', required: true, config: { count: 0 } },
    { name: 'breaker', config: { afterMs: 600_000 } },
  ],
});
const HOOK = hookOf('shop/look', 'happened');

function hookOf(id: string, eventType: string): unknown {
  const [namespace, name] = id.split('/');
  return {
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { name, namespace },
    spec: { eventConfigurations: [{ eventType, agentRef: { name: 'a' }, prompt: 'look' }] },
  };
}

async function start(t: TestContext, flags: string[] = []): Promise<RunningHost> {
  const host = await RunningHost.start(t, {
    plugins: PLUGINS,
    mappings: 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]',
    hooks: {
      'look.yaml': JSON.stringify(HOOK),
      'mistyped.yaml': JSON.stringify(hookOf('shop/mistyped', 'Hapened')),
      'elsewhere.yaml': JSON.stringify(hookOf('mill/elsewhere', 'Happened')),
    },
    bundles: { puppet: 'test/fixtures/plugins/puppet', breaker: 'test/fixtures/plugins/breaker' },
    flags,
  });
  await host.plugin('puppet', 'running');
  return host;
}

function emit(host: RunningHost, resourceName: string): Promise<Response> {
  return fetch(`${host.admin}/api/v1/emit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      source: 'puppet',
      type: 'happened',
      resourceName,
      message: 'something happened',
      namespace: 'shop',
    }),
  });
}

/** The page says so within the time in which a person would still be looking. */
async function sees(page: Page, selector: string, text: RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: 15_000 });
}

/** Axe's findings, in words. */
async function inaccessible(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run(),
  );
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' · ')}`,
  );
}

describe('dashboard', { skip: noBrowser }, () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`shows plugins, events, Hooks and the ledger without a complaint of the browser or of axe (${colorScheme})`, async (t) => {
      const host = await start(t);
      await emit(host, 'before');
      const { page, complaints } = await openPage(t, `${host.metrics}/`, { colorScheme });
      await sees(page, 'header', /ready/);
      await sees(page, '#plugins tr', /puppet.*running/);
      await sees(page, '#events tr', /before/);
      await sees(page, '#hooks tr', /shop\/look.*ready/);
      await sees(page, '#ledger', /delivered1/);
      await page.locator('#events button.open').first().click();
      await sees(page, '#events tr.detail', /received/);
      await page.locator('#plugins button.open').first().click();
      await page.locator('#hooks button.open', { hasText: 'shop/mistyped' }).click();
      await sees(page, '#hooks tr.detail', /did you mean happened/);
      await page.locator('#hooks button.open', { hasText: 'mill/elsewhere' }).click();
      await sees(page, '#hooks tr.detail', /Nearest misses/);
      assert.deepEqual(await inaccessible(page), []);
      assert.deepEqual(complaints, []);
    });
  }

  it('shows events and a recycle as they happen', async (t) => {
    const host = await start(t);
    const { page, complaints } = await openPage(t, `${host.metrics}/`);
    await sees(page, '#plugins tr', /breaker.*running1/);
    await emit(host, 'while-it-looks');
    await sees(page, '#events tr', /while-it-looks/);
    host.write('config/plugins.yaml', PLUGINS.replace('600000', '100'));
    await sees(page, '#flights tr', /breaker.*crash/);
    await sees(page, '#plugins tr', /breaker.*crash \d/);
    assert.deepEqual(complaints, []);
  });

  it('says since when the host is silent, and goes on by itself when it is back', async (t) => {
    const port = await freePort();
    const host = await start(t, ['--metrics-port', String(port)]);
    const { page } = await openPage(t, `http://127.0.0.1:${port}/`);
    await sees(page, 'header', /ready/);
    const [pid = 0] = childrenOf(host.pid);
    process.kill(pid, 'SIGSTOP');
    await sees(page, 'header [role="alert"]', /has not answered since \d\d:\d\d:\d\d/);
    process.kill(pid, 'SIGKILL');
    await eventually(() => host.grep(/Metrics and read API on/).length === 2);
    await page.locator('header [role="alert"]').waitFor({ state: 'detached', timeout: 20_000 });
    await sees(page, '#plugins tr', /puppet.*running/);
    const line = host.log.findLast(({ msg }) => msg.startsWith('Metrics and read API on'));
    host.admin = `http://127.0.0.1:${line?.admin}`;
    await emit(host, 'after-its-return');
    await sees(page, '#events tr', /after-its-return/);
  });

  it('is worked by keyboard alone: sections, rows, holding the list', async (t) => {
    const host = await start(t);
    await emit(host, 'first');
    const { page } = await openPage(t, `${host.metrics}/`);
    await sees(page, '#events tr', /first/);
    await page.keyboard.press('3');
    assert.equal(await page.evaluate('document.activeElement.id'), 'events');
    await page.keyboard.press('p');
    await sees(page, '#events', /held/);
    await emit(host, 'second');
    await sees(page, '#ledger', /delivered2/);
    assert.equal(await page.locator('#events tr', { hasText: 'second' }).count(), 0);
    await page.keyboard.press('p');
    await sees(page, '#events tr', /second/);
    await page.locator('#events button.open').first().focus();
    await page.keyboard.press('Enter');
    await sees(page, '#events tr.detail', /received/);
  });

  it('tells by keyboard alone why a Hook stays silent: its faults, its nearest misses and what to do', async (t) => {
    const host = await start(t);
    await emit(host, 'first');
    const { page, complaints } = await openPage(t, `${host.metrics}/`);
    await sees(page, '#hooks tr', /mill\/elsewhere/);
    const opener = page.locator('#hooks button.open', { hasText: 'mill/elsewhere' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await sees(page, '#hooks tr.detail', /puppet:happened shop\/first/);
    await sees(page, '#hooks tr.detail', /the Hook sees mill.*→ move the Hook/);
    await page.keyboard.press('Space');
    await page.locator('#hooks tr.detail').waitFor({ state: 'detached' });
    await page.locator('#hooks button.open', { hasText: 'shop/look' }).press('Enter');
    await sees(page, '#hooks tr.detail', /It fired last at .*Of the 2 events looked at it matched 1/);
    assert.deepEqual(complaints, []);
  });

  it('shows what the doctor finds, and by keyboard what to do', async (t) => {
    const host = await start(t);
    host.write('config/plugins.yaml', PLUGINS.replace('600000', '100'));
    await eventually(() => host.grep(/a bug in a callback/).length > 0);
    const { page, complaints } = await openPage(t, `${host.metrics}/`);
    await sees(page, '.findings summary', /breaker failed/);
    const summary = page.locator('.findings summary', { hasText: 'breaker failed' }).first();
    await summary.focus();
    await page.keyboard.press('Enter');
    await sees(page, '.findings details[open]', /flight record breaker-.*fault of the plugin; the stack says where/s);
    assert.deepEqual(await inaccessible(page), []);
    assert.deepEqual(complaints, []);
  });

  it('tells what is not ready, and shows what to paste', async (t) => {
    const host = await RunningHost.start(t, {
      plugins: 'plugins: [{ name: webhook, required: true, config: { port: 8190 } }]',
      bundles: { webhook: 'plugins/webhook' },
    });
    const { page } = await openPage(t, `${host.metrics}/`);
    await sees(page, 'header [role="alert"]', /plugin-webhook.*blocked\(grants\)/);
    await page.locator('#plugins button.open').first().click();
    await sees(page, '#plugins tr.detail pre', /permissions:/);
  });

  it('shows what an event says as text, never as markup', async (t) => {
    const host = await start(t);
    await emit(host, '<img src=x onerror=alert(1)>');
    const { page, complaints } = await openPage(t, `${host.metrics}/`);
    await sees(page, '#events tr', /<img src=x/);
    assert.equal(await page.locator('#events img').count(), 0);
    assert.deepEqual(complaints, []);
  });
});
