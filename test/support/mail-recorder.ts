import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { callbackify, promisify } from 'node:util';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { untilEvent } from './slack-recorder.ts';

/**
 * How the recorder treats a message. `accept` takes it; `hang` never answers the DATA command; a number refuses it with
 * that SMTP code: 4xx passes, 5xx lasts.
 */
export type MailBehaviour = 'accept' | 'hang' | number;

export type Mail = {
  readonly subject: string;
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly recipients: readonly string[];
};

export type MailRecorder = {
  /** What SMTP_URL is set to. */
  readonly url: string;
  /** Mails taken in, in order. */
  readonly mails: readonly Mail[];
  readonly subjects: (start?: string) => string[];
  readonly attemptCount: () => number;
  readonly behave: (behaviour: MailBehaviour) => void;
  /** Resolves once the condition holds; it is asked after every attempt. @throws after `timeoutMs`, showing what came. */
  readonly until: (condition: () => boolean, timeoutMs?: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A local mail server that keeps what it gets. */
export async function startMailRecorder(): Promise<MailRecorder> {
  const mails: Mail[] = [];
  const events = new EventEmitter();
  let behaviour: MailBehaviour = 'accept';
  let attempts = 0;
  const receive = async (stream: Readable, session: SMTPServerSession): Promise<void> => {
    const source = await readAll(stream);
    attempts += 1;
    const present = behaviour;
    const recipients = session.envelope.rcptTo.map(({ address }) => address);
    if (present === 'accept') mails.push(parseMail(source, recipients));
    events.emit('attempt');
    if (typeof present === 'number') throw Object.assign(new Error('refused by the test'), { responseCode: present });
    if (present === 'hang') await new Promise(() => {});
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    closeTimeout: 100,
    onData: (stream, session, callback) => {
      callbackify(receive)(stream, session, callback);
    },
  });
  // A client that is killed breaks its connection.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const subjects = (start = ''): string[] => mails.map(({ subject }) => subject).filter((subject) => subject.startsWith(start));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    subjects,
    attemptCount: () => attempts,
    behave: (next) => {
      behaviour = next;
    },
    until: (condition, timeoutMs = 40_000) =>
      untilEvent(events, 'attempt', condition, { timeoutMs, describe: () => `mail got ${JSON.stringify(subjects())}` }),
    close: () => promisify(server.close.bind(server))(),
  };
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parseMail(source: string, recipients: readonly string[]): Mail {
  const [head = '', ...rest] = source.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { subject: headers['subject'] ?? '', messageId: headers['message-id'] ?? '', headers, text: rest.join('\r\n\r\n'), recipients };
}
