import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { messageOf } from '#lib/errors.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf } from '../run-monitor.ts';
import { startWatchedApi } from '../watched-api.ts';

/** A disk of one megabyte; or why there can be none here. */
async function mountSmallDisk(dir: string): Promise<string | undefined> {
  await mkdir(dir, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', dir], { stdio: 'pipe' });
  } catch (err) {
    return `a small disk cannot be mounted here: ${messageOf(err).split('\n')[0]}`;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', dir]));
  return undefined;
}

/** Takes the last free byte. @returns what gives them back */
function fill(dir: string): () => void {
  const file = join(dir, 'somebody-elses.log');
  for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1) {
    try {
      writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
      bytes <<= 1;
    } catch {
      // Less may still fit.
    }
  }
  expect(statfsSync(dir).bavail).toBe(0);
  return () => rmSync(file);
}

test(
  'while the disk is full, what waits is sent, a new outage and its end are told, and so is the disk; afterwards all is on record',
  { timeout: 120_000 },
  async ({ skip }) => {
    const dir = await temporaryFolder();
    const why = await mountSmallDisk(join(dir, 'data'));
    skip(why !== undefined, why);
    const [slack, api] = await Promise.all([startSlackRecorder(), startWatchedApi()]);
    onTestFinished(async () => void (await Promise.all([slack.close(), api.kill()])));
    // The compiled code must not take the place the store needs.
    const monitor = await startMonitor(planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }));
    onTestFinished(() => monitor.kill());
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    // A FIRING that is committed, and waits for Slack.
    slack.behave({ status: 500 });
    await api.kill();
    await slack.until(() => slack.requestCount() > 0);
    const makeRoom = fill(join(dir, 'data'));
    await api.start();
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    slack.behave('accept');
    await slack.until(() => slack.texts('[RESOLVED] api').length === 1);
    expect(slack.texts('[FIRING] api')).toHaveLength(1);
    // An outage that begins and ends within the full time.
    await api.kill();
    await slack.until(() => slack.texts('[FIRING] api').length === 2);
    await slack.until(() => slack.texts('[FIRING] monitor.store').length === 1);
    expect(slack.texts('[FIRING] monitor.store')[0]).toMatch(/full|disk|I\/O/);
    await api.start();
    await slack.until(() => slack.texts('[RESOLVED] api').length === 2);
    const view = await monitor.untilStatus(() => true);
    expect(view.monitor.status).toBe('failing');
    makeRoom();
    await slack.until(() => slack.texts('[RESOLVED] monitor.store').length === 1);
    const { incidents, channels } = await monitor.untilStatus((seen) => seen.monitor.status === 'ok');
    expect(incidents?.filter(({ target }) => target === 'api').map(({ ended_at: endedAt }) => endedAt !== null)).toEqual([true, true]);
    expect(channels).toMatchObject([{ pending: 0, failed: 0 }]);
    const told = slack.texts().length;
    await monitor.kill();
    const second = await startMonitor(planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }));
    onTestFinished(() => second.kill());
    await second.untilStatus((seen) => statusOf(seen, 'api') === 'up');
    expect(slack.texts()).toHaveLength(told);
  },
);
