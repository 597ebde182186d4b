import { reportError } from '#lib/command-line.ts';
import { runDaemon } from '#monitor/daemon/run-daemon.ts';

/**
 * The monitor as main.ts runs it, but that it kills itself when it reaches TEST_FAIL_POINT for the TEST_FAIL_HIT-th time,
 * as a crash or a power cut would.
 */
const { TEST_FAIL_POINT: wanted, TEST_FAIL_HIT: hit = '1' } = process.env;
let reached = 0;

try {
  process.exitCode = await runDaemon(process.env, (point) => {
    if (point !== wanted) return;
    reached += 1;
    if (reached === Number(hit)) process.kill(process.pid, 'SIGKILL');
  });
} catch (err) {
  process.exitCode = reportError(err);
}
