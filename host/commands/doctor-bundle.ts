/** What khook knows, as one archive for a bug report. Everything in it has gone through the redaction of the read API. */

import { createWriteStream } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { messageOf } from '../../ipc/errors.ts';
import type { DoctorReport } from '../http/doctor-report.ts';
import { askHost } from './doctor-ask.ts';
import { reportText } from './doctor-text.ts';

interface BundleContent {
  readonly url: string;
  readonly report: DoctorReport;
}

/** Empty when it was written, else why it was not. */
export async function writeBundle(file: string, { url, report }: BundleContent): Promise<string> {
  const told = await askHost<{ readonly files: Readonly<Record<string, unknown>> }>(url, '/api/v1/bundle');
  const files: Record<string, string> = {
    'findings.txt': reportText(report, url),
    'findings.json': json(report),
    'machine.json': json({
      node: process.version,
      platform: platform(),
      release: release(),
      arch: arch(),
      now: report.at,
    }),
  };
  if (told.kind === 'ok')
    for (const [name, content] of Object.entries(told.value.files))
      files[name] = typeof content === 'string' ? content : json(content);
  else files['host.txt'] = `The host told nothing: ${JSON.stringify(told)}\n`;
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name: `khook-bundle/${name}` }, text);
  archive.finalize();
  try {
    const out = file === '-' ? process.stdout : createWriteStream(file, { mode: 0o600 });
    await pipeline(archive, createGzip(), out, { end: file !== '-' });
    return '';
  } catch (error) {
    return `the archive cannot be written to ${file}: ${messageOf(error)}`;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
