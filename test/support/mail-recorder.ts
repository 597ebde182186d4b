import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { callbackify, promisify } from 'node:util';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { untilEvent } from './slack-recorder.ts';

/** A command at which the recorder refuses, with its answer: 4xx passes, 5xx lasts. */
export type MailRefusal = {
  readonly at: 'MAIL' | 'RCPT' | 'DATA';
  readonly code: number;
  readonly text?: string;
  readonly recipient?: string;
};

/**
 * How the recorder treats a message. `accept` takes it; `hang` never answers the DATA command; `greylist` refuses each
 * sender and recipient the first time, as RFC 6647 says; a number refuses the data with that SMTP code.
 */
export type MailBehaviour = 'accept' | 'hang' | 'greylist' | number | MailRefusal;

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
  /** Messages that got as far as their data, and commands that were refused before. */
  readonly attemptCount: () => number;
  readonly refusalCount: () => number;
  /** Passwords that were sent, as the server saw them. */
  readonly passwords: readonly { readonly password: string; readonly isSecure: boolean }[];
  readonly behave: (behaviour: MailBehaviour) => void;
  /** Resolves once the condition holds; it is asked after every attempt. @throws after `timeoutMs`, showing what came. */
  readonly until: (condition: () => boolean, timeoutMs?: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * A local mail server that keeps what it gets.
 * @param options `offersLogin` takes any user and password, over TLS only where `offersTls`
 */
export async function startMailRecorder(
  options: { readonly offersLogin?: boolean; readonly offersTls?: boolean } = {},
): Promise<MailRecorder> {
  const mails: Mail[] = [];
  const passwords: { password: string; isSecure: boolean }[] = [];
  const events = new EventEmitter();
  const seen = new Set<string>();
  let behaviour: MailBehaviour = 'accept';
  let attempts = 0;
  let refusals = 0;
  /** What is answered at a command; undefined: it goes on. */
  const refusalAt = (at: MailRefusal['at'], address: string): Error | undefined => {
    const present = behaviour;
    if (typeof present === 'object' && present.at === at && (present.recipient ?? address) === address) {
      return refuse(present.code, present.text);
    }
    if (present !== 'greylist' || at !== 'RCPT' || seen.has(address)) return undefined;
    seen.add(address);
    return refuse(450, '4.7.1 greylisted, come back later');
  };
  const answerAt =
    (at: MailRefusal['at']): NonNullable<SMTPServerOptions['onRcptTo']> =>
    ({ address }, _session, callback) => {
      const refusal = refusalAt(at, address);
      if (refusal) refusals += 1;
      callback(refusal);
      if (refusal) events.emit('attempt');
    };
  const receive = async (stream: Readable, session: SMTPServerSession): Promise<void> => {
    const source = await readAll(stream);
    attempts += 1;
    const present = behaviour;
    const refusal = typeof present === 'number' ? refuse(present) : refusalAt('DATA', '');
    const recipients = session.envelope.rcptTo.map(({ address }) => address);
    if (present !== 'hang' && !refusal) mails.push(parseMail(source, recipients));
    events.emit('attempt');
    if (refusal) throw refusal;
    if (present === 'hang') await new Promise(() => {});
  };
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: [...(options.offersTls ? [] : ['STARTTLS']), ...(options.offersLogin ? [] : ['AUTH'])],
    closeTimeout: 100,
    onAuth: ({ username, password }, session, callback) => {
      passwords.push({ password: String(password), isSecure: session.secure });
      callback(undefined, { user: username });
    },
    onMailFrom: answerAt('MAIL'),
    onRcptTo: answerAt('RCPT'),
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
    refusalCount: () => refusals,
    passwords,
    behave: (next) => {
      behaviour = next;
    },
    until: (condition, timeoutMs = 40_000) =>
      untilEvent(events, 'attempt', condition, { timeoutMs, describe: () => `mail got ${JSON.stringify(subjects())}` }),
    close: () => promisify(server.close.bind(server))(),
  };
}

const refuse = (code: number, text = 'refused by the test'): Error => Object.assign(new Error(text), { responseCode: code });

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
