import { setImmediate as turn } from 'node:timers/promises';
import { openLogFile } from '#api/logs/log-file.ts';
import { lineLengths } from './line-lengths.ts';

/** Appends lines of one letter to a log file: `node write-lines.ts FILE LETTER`. */
const [, , path = '', letter = ''] = process.argv;
const file = await openLogFile(path, { onProblem: (message) => void process.stderr.write(message), flushAfterMs: 1 });
for (const [index, length] of lineLengths.entries()) {
  file.write(`${letter.repeat(length)}\n`);
  if (index % 10 === 0) await turn();
}
await file.close();
