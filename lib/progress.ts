import type { WriteStream } from 'node:tty';

/** Tells people how far a long piece of work has come. */
export type Progress = {
  readonly update: (text: string) => void;
  /** Clears the line; call it before printing a result. */
  readonly done: () => void;
};

/** One line that rewrites itself on a terminal; silent elsewhere, so that logs and pipes stay clean. */
export function createProgress(stream: WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update: () => {}, done: () => {} };
  const rewrite = (text: string): void => {
    stream.clearLine(0);
    stream.cursorTo(0);
    stream.write(text.slice(0, (stream.columns || 80) - 1));
  };
  return { update: rewrite, done: () => rewrite('') };
}
