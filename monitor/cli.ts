// Longer than other rooms: ten verbs, each of a few lines; their work stands in commands/.
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { print, runCommandLine, type CommandLine, type Verb } from '#lib/command-line.ts';
import { readEnv } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';
import { withLocalStack } from '#lib/local-stack.ts';
import { createChannels } from './alerts/channels/kinds.ts';
import { askMonitor, describeDone, silenceCommand, type Where } from './commands/ask-monitor.ts';
import { checkConfig, describeConfig } from './commands/check-config.ts';
import { describeHeartbeatUrl, heartbeatUrl } from './commands/heartbeat-url.ts';
import { describeIncidents, readIncidents } from './commands/incidents.ts';
import { describeStatus, fetchStatus } from './commands/status.ts';
import { sendTestAlerts } from './commands/test-alert.ts';
import { readMonitorSettings } from './config/config.ts';
import { monitorEnv } from './config/monitor-env.ts';
import { runDaemon } from './daemon/run-daemon.ts';
import { exportPrometheus, writeExported } from './export/prometheus.ts';
import type { Command } from './quiet/command.ts';

const env = withLocalStack(process.env);
const json = { json: { type: 'boolean' } } as const;

const show = (asJson: unknown, result: unknown, text: string): void => print(asJson === true ? JSON.stringify(result, undefined, 2) : text);

const run: Verb = {
  synopsis: '',
  summary: 'Watches until it is stopped; what npm run monitor does without a command.',
  positionals: [0, 0],
  run: () => {
    // Under the same pid, the daemon's own door takes this process's place: it needs half the memory.
    const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    process.execve?.(process.execPath, [process.execPath, join(import.meta.dirname, 'main.mjs')], Object.fromEntries(set));
    return runDaemon(env);
  },
};

const checkConfigVerb: Verb = {
  synopsis: '[--json]',
  summary: 'Reads the environment and MONITOR_CONFIG, and says what would be watched; exit 78 names every problem.',
  options: json,
  positionals: [0, 0],
  run: async ({ flags }) => {
    const report = await checkConfig(env);
    show(flags['json'], report, describeConfig(report));
    return EXIT.done;
  },
};

const testAlert: Verb = {
  synopsis: '[--json]',
  summary: 'Sends one message marked [TEST] over every channel; exit 1 when one does not take it.',
  options: json,
  positionals: [0, 0],
  run: async ({ flags }) => {
    const settings = await readMonitorSettings(env);
    const results = await sendTestAlerts(createChannels(settings.env, settings.sender), new Date());
    const lines = results.map(({ channel, delivered, problem }) => `${channel}: ${delivered ? 'delivered' : `not delivered: ${problem}`}`);
    show(flags['json'], results, lines.join('\n'));
    return results.every(({ delivered }) => delivered) ? EXIT.done : EXIT.failed;
  },
};

const status: Verb = {
  synopsis: '[--json]',
  summary: 'Asks the running monitor what it sees; exit 69 when none runs.',
  options: json,
  positionals: [0, 0],
  run: async ({ flags }) => {
    const view = await fetchStatus(whereItRuns());
    show(flags['json'], view, describeStatus(view));
    return EXIT.done;
  },
};

const incidents: Verb = {
  synopsis: '[--limit N] [--json]',
  summary: 'Lists the last incidents, newest first, whether or not the monitor runs.',
  options: { ...json, limit: { type: 'string' } },
  positionals: [0, 0],
  run: async ({ flags }) => {
    const limit = Number(flags['limit'] ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
      throw new UsageError('incidents: --limit must be a whole number from 1 to 10000');
    const { incidents: found, note } = readIncidents(readEnv(pick('MONITOR_DATA_DIR'), env).MONITOR_DATA_DIR, { limit, now: Date.now() });
    if (note !== undefined) process.stderr.write(`note: ${note}\n`);
    show(flags['json'], found, describeIncidents(found));
    return EXIT.done;
  },
};

const asker = { ...json, by: { type: 'string' } } as const;

function whereItRuns(): Where {
  const { MONITOR_HOST, MONITOR_PORT, MONITOR_DATA_DIR } = readEnv(pick('MONITOR_HOST', 'MONITOR_PORT', 'MONITOR_DATA_DIR'), env);
  return { host: MONITOR_HOST, port: MONITOR_PORT, dir: MONITOR_DATA_DIR };
}

/** Asks the running monitor, and shows what it did. */
async function ask(command: Command, asJson: unknown): Promise<typeof EXIT.done> {
  const done = await askMonitor(whereItRuns(), command);
  show(asJson, done, describeDone(done));
  return EXIT.done;
}

/** Who asks, where `--by` does not say. */
const me = (by: unknown): string => (typeof by === 'string' ? by : `${userInfo().username}@${hostname()}`.slice(0, 60));

const silence: Verb = {
  synopsis: 'TARGET…|all --for 2h --reason TEXT [--by NAME] [--json]',
  summary: 'Keeps back what begins with these targets for a while; what ends is told, and what outlasts the silence too.',
  options: { ...asker, for: { type: 'string' }, reason: { type: 'string' } },
  positionals: [1, 1_000],
  run: ({ positionals, flags }) =>
    ask(silenceCommand(positionals, { for: flags['for'], reason: flags['reason'], by: me(flags['by']) }), flags['json']),
};

const unsilence: Verb = {
  synopsis: 'NAME [--by NAME] [--json]',
  summary: 'Ends a silence, such as s1, before its time; status lists them.',
  options: asker,
  positionals: [1, 1],
  run: ({ positionals: [name = ''], flags }) => ask({ do: 'unsilence', name, by: me(flags['by']) }, flags['json']),
};

const note: Verb = {
  synopsis: 'INCIDENT --text TEXT [--post-mortem] [--public] [--by NAME] [--json]',
  summary:
    'Writes to an incident what people should know of it; plain text, for operators or for everybody. A text of - is read from standard input.',
  options: { ...asker, text: { type: 'string' }, 'post-mortem': { type: 'boolean' }, public: { type: 'boolean' } },
  positionals: [1, 1],
  run: async ({ positionals: [of = ''], flags }) => {
    if (typeof flags['text'] !== 'string') throw new UsageError('note: --text must say what is to be kept');
    const text = flags['text'] === '-' ? await readText(process.stdin) : flags['text'];
    const kind = flags['post-mortem'] === true ? 'post_mortem' : 'note';
    return ask({ do: 'note', of, by: me(flags['by']), kind, is_public: flags['public'] === true, text }, flags['json']);
  },
};

const ack: Verb = {
  synopsis: 'TARGET|INCIDENT [--by NAME] [--json]',
  summary: 'Takes on what goes on: everybody is told who, and no reminders come until it is over.',
  options: asker,
  positionals: [1, 1],
  run: ({ positionals: [of = ''], flags }) => ask({ do: 'ack', of, by: me(flags['by']) }, flags['json']),
};

const heartbeatUrlVerb: Verb = {
  synopsis: 'NAME [--json]',
  summary: 'Shows the secret address at which a job says that it has ended well; whoever knows it can say so.',
  options: json,
  positionals: [1, 1],
  run: async ({ positionals: [name = ''], flags }) => {
    const url = await heartbeatUrl(env, name);
    show(flags['json'], { name, url }, describeHeartbeatUrl(url));
    return EXIT.done;
  },
};

const exportVerb: Verb = {
  synopsis: 'prometheus --dir DIR [--json]',
  summary:
    'Writes the configuration as scrape configuration and rules of Prometheus and as configuration of Alertmanager, without secrets.',
  options: { ...json, dir: { type: 'string' } },
  positionals: [1, 1],
  run: async ({ positionals: [what], flags: { dir, json: asJson } }) => {
    if (what !== 'prometheus') throw new UsageError(`export: only prometheus can be exported, not ${what}`);
    if (typeof dir !== 'string') throw new UsageError('export: --dir must name the folder the files go to');
    const exported = await exportPrometheus(env);
    writeExported(exported, dir);
    const { files, missing } = exported;
    show(
      asJson,
      { dir, files: Object.keys(files), missing },
      [...Object.keys(files).map((name) => join(dir, name)), ...missing.map((each) => `not expressed: ${each}`)].join('\n'),
    );
    return EXIT.done;
  },
};

function pick<K extends keyof typeof monitorEnv>(...names: readonly K[]): Pick<typeof monitorEnv, K> {
  return Object.fromEntries(names.map((name) => [name, monitorEnv[name]])) as Pick<typeof monitorEnv, K>;
}

const commandLine: CommandLine = {
  invocation: 'npm run monitor --',
  summary: 'Watches the API and its database, tells people, takes the daily backup.',
  verbs: {
    run,
    'check-config': checkConfigVerb,
    'test-alert': testAlert,
    status,
    incidents,
    silence,
    unsilence,
    ack,
    'heartbeat-url': heartbeatUrlVerb,
    note,
    export: exportVerb,
  },
};

const given = process.argv.slice(2);
process.exitCode = await runCommandLine(commandLine, given.length === 0 ? ['run'] : given);
setTimeout(() => process.exit(), 500).unref();
