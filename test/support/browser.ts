import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Why there is no browser to test with; undefined when there is one. */
export const missingBrowser = existsSync(executablePath) ? undefined : `${executablePath} is not installed: apt-get install chromium`;

/** Debian's Chromium, without a window, that asks nobody for anything by itself. The caller closes it. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
