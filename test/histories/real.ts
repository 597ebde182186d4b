import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { messageOf } from '#lib/errors.ts';
import { createRandom, pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import { alertTitle } from '#monitor/alerts/message-text.ts';
import { askMonitor } from '#monitor/commands/ask-monitor.ts';
import { roleOf, type Alert } from '#monitor/model/alert.ts';
import type { Command } from '#monitor/quiet/command.ts';
import type { StatusView } from '#monitor/status-page/status-view.ts';
import { openForReading, storeFileName } from '#monitor/store/database.ts';
import { planFor, startMonitor, statusOf, type MonitorPlan, type RunningMonitor } from '#test/integration/monitor/run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '#test/integration/monitor/watched-api.ts';
import { startSlackRecorder, type SlackBehaviour, type SlackRecorder } from '#test/support/slack-recorder.ts';

/** What a history on the real daemon came to. */
export type RealPlayed = {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly kills: number;
  readonly arrived: number;
  readonly repeated: number;
  /** From the moment Slack is back to the first message that had waited, in ms; undefined where none had. */
  readonly delaysMs: readonly number[];
};

type Scene = {
  readonly api: WatchedApi;
  readonly slack: SlackRecorder;
  readonly plan: MonitorPlan;
  monitor: RunningMonitor;
  kills: number;
  behaviour: SlackBehaviour;
  /** Messages that Slack took in without an answer. */
  unanswered: number;
  takenBefore: number;
  readonly delaysMs: number[];
};

const troubles: readonly SlackBehaviour[] = ['reset', { status: 500 }, { status: 429, headers: { 'retry-after': '1' } }, 'keep-silent'];

/** Plays the history of a seed on the daemon as a process of its own, with a real store, a real channel and SIGKILL. */
export async function playReal(seed: number): Promise<RealPlayed> {
  const random = createRandom(seed, 0);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-histories-'));
  const [api, slack] = await Promise.all([startWatchedApi(), startSlackRecorder()]);
  const plan = planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }, { delivery: { firstRetry: '1s', longestRetry: '5m' } });
  const monitor = await startMonitor(plan);
  const scene: Scene = { api, slack, plan, monitor, kills: 0, behaviour: 'accept', unanswered: 0, takenBefore: 0, delaysMs: [] };
  const arrived = (): Pick<RealPlayed, 'seed' | 'kills' | 'arrived' | 'delaysMs'> => ({
    seed,
    kills: scene.kills,
    arrived: slack.messages.length,
    delaysMs: scene.delaysMs,
  });
  try {
    await scene.monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    for (let left = randomInt(random, 5, 9); left > 0; left -= 1) await step(scene, random);
    await api.kill();
    await api.start();
    await mendSlack(scene);
    await reload(scene, stringify(plan.config));
    await scene.monitor.untilStatus((view) => statusOf(view, 'api') === 'up' && isOver(view));
    await scene.monitor.untilStatus(({ channels }) => channels?.every(({ pending }) => pending === 0) ?? false);
    await scene.monitor.stop();
    return { ...arrived(), ...judge(scene) };
  } catch (err) {
    return { ...arrived(), repeated: 0, violations: [messageOf(err).slice(0, 400)] };
  } finally {
    await scene.monitor.kill();
    await Promise.all([api.kill(), slack.close()]);
    await rm(dir, { recursive: true, force: true });
  }
}

const isOver = (view: StatusView): boolean => (view.incidents ?? []).every(({ ended_at: endedAt }) => endedAt !== null);

async function step(scene: Scene, random: Random): Promise<void> {
  const { api, plan } = scene;
  const what = pick(random, [
    'outage',
    'outage',
    'outage',
    'back',
    'back',
    'channel',
    'channel',
    'kill',
    'kill',
    'silence',
    'ack',
    'reload',
  ]);
  if (what === 'outage') await api.kill();
  if (what === 'back') await api.kill().then(() => api.start());
  if (what === 'channel') await (random() < 0.4 ? mendSlack(scene) : behave(scene, pick(random, troubles)));
  if (what === 'silence') await asked(scene, { do: 'silence', targets: ['api'], for_ms: 60_000, by: 'ann', reason: 'work' });
  if (what === 'ack') await asked(scene, { do: 'ack', of: 'api', by: 'ann' });
  if (what === 'reload') {
    const changed = { ...(plan.config as object), flapping: random() < 0.5 ? 'off' : { turns: 3, window: '2s', settle: '1s' } };
    await reload(scene, random() < 0.3 ? 'probes: 5' : stringify(changed));
  }
  if (what === 'kill') {
    await scene.monitor.kill();
    scene.kills += 1;
    scene.monitor = await startMonitor(plan);
  }
  await sleep(randomInt(random, 20, 1_200));
}

async function reload({ plan, monitor }: Scene, text: string): Promise<void> {
  // Before it has come up it would begin with what is written, and the signal would end it, as they would any program.
  await monitor.untilStatus(() => true);
  await writeFile(join(plan.dir, 'monitor.yaml'), text);
  monitor.child.kill('SIGHUP');
}

function behave(scene: Scene, behaviour: SlackBehaviour): number {
  const taken = scene.slack.messages.length;
  if (scene.behaviour === 'keep-silent') scene.unanswered += taken - scene.takenBefore;
  scene.takenBefore = taken;
  scene.behaviour = behaviour;
  scene.slack.behave(behaviour);
  return taken;
}

/** Slack works again; what waited for it is timed, but after an answer that never came, which may have arrived. */
async function mendSlack(scene: Scene): Promise<void> {
  const { channels } = await scene.monitor.untilStatus(() => true);
  const isTimed = (channels?.some(({ pending }) => pending > 0) ?? false) && !['accept', 'keep-silent'].includes(scene.behaviour as string);
  const before = behave(scene, 'accept');
  const backMs = performance.now();
  if (!isTimed) return;
  await scene.slack.until(() => scene.slack.messages.length > before);
  scene.delaysMs.push(performance.now() - backMs);
}

/** What the monitor answers is no matter here: it may have nothing to take on. */
async function asked({ monitor, plan }: Scene, command: Command): Promise<void> {
  const { port } = new URL(monitor.url);
  await askMonitor({ host: '127.0.0.1', port: Number(port), dir: join(plan.dir, 'data') }, command).catch(() => {});
}

type Row = { readonly state: string; readonly alert: string };

type Came = { readonly text: string; readonly all: string };

const isOf = ({ text, all }: Came, alert: Alert): boolean =>
  text.startsWith(alertTitle(alert)) && new RegExp(`${alert.incidentId}(?![\\w-])`).test(all);

/** Everything on record beside everything that arrived. */
function judge({ plan, slack, kills, unanswered }: Scene): Pick<RealPlayed, 'repeated' | 'violations'> {
  const { connection } = openForReading(join(plan.dir, 'data', storeFileName));
  const rows = connection.prepare("SELECT state, alert FROM messages WHERE channel = 'slack' ORDER BY id").all() as unknown as Row[];
  connection.close();
  const arrived = slack.messages.map(({ text, body }) => ({ text, all: JSON.stringify(body) }));
  const violations: string[] = [];
  let repeated = 0;
  const alerts = rows.map(({ state, alert }) => ({ state, alert: JSON.parse(alert) as Alert }));
  for (const { state, alert } of alerts) {
    const own = arrived.filter((each) => isOf(each, alert) && (alert.event !== 'reminder' || each.text.includes(alert.detail)));
    if (state === 'sent' && own.length === 0) violations.push(`lost: ${alert.id}`);
    if (state === 'pending' || state === 'failed') violations.push(`${state}: ${alert.id}`);
    const unmarked = own.slice(1).filter(({ all }) => !all.includes('may be a repeat'));
    if (unmarked.length > 0) violations.push(`twice without a mark: ${alert.id}`);
    repeated += Math.max(0, own.length - 1);
    const opening = alerts.find((each) => each.alert.incidentId === alert.incidentId && roleOf(each.alert.event) === 'opens');
    const firstOf = (wanted: Alert): number => arrived.findIndex((each) => isOf(each, wanted));
    const isLate = roleOf(alert.event) === 'closes' && opening?.state === 'sent' && firstOf(opening.alert) > firstOf(alert);
    if (isLate) violations.push(`out of order: ${alert.id}`);
    const isEnded = alerts.some((each) => each.alert.incidentId === alert.incidentId && roleOf(each.alert.event) === 'closes');
    if (roleOf(alert.event) === 'opens' && !isEnded) violations.push(`never ended: ${alert.id}`);
  }
  if (repeated > kills + unanswered) violations.push(`${repeated} repeats after ${kills} kills and ${unanswered} answers that never came`);
  return { repeated, violations };
}
