/** A real Chromium, driven by playwright-core: the machine's own, or the one that CHROMIUM names. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function findChromium(): string | null {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(existsSync) ?? null;
}

const executablePath = findChromium();

/** For `{ skip }` of a test. */
export const noBrowser: string | false =
  executablePath === null &&
  'there is no Chromium on this machine: install one (apt-get install chromium), or name it with CHROMIUM';

export interface OpenPage {
  readonly page: Page;
  /** What the browser complained about: console errors, refused requests, violations of the content policy. */
  readonly complaints: string[];
}

/** Closed after the test. */
export async function openPage(
  t: Pick<TestContext, 'after'>,
  url: string,
  options: { readonly colorScheme?: 'light' | 'dark'; readonly width?: number } = {},
): Promise<OpenPage> {
  // Chromium's own sandbox needs privileges that a container does not give; the pages are khook's.
  const browser: Browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const { colorScheme = 'light', width = 1400 } = options;
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', ({ message }) => complaints.push(`page error: ${message}`));
  await page.goto(url);
  return { page, complaints };
}
