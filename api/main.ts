import { runCommandLine } from '#lib/command-line.ts';
import { withLocalStack } from '#lib/local-stack.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { runPrimary } from './processes/run-primary.ts';

const exitCode = await runCommandLine(
  {
    invocation: 'npm run api --',
    summary: 'The API: a primary process with the admin listener, and API_WORKERS worker processes. Settings come from the environment.',
    verbs: {
      run: {
        synopsis: '',
        summary: 'Runs until SIGTERM or SIGINT, then finishes what was accepted.',
        positionals: [0, 0],
        run: () => runPrimary(withLocalStack(process.env), stopSignal()),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
// The channels of ended workers may linger; everything is closed and written by now.
process.exit(exitCode);
