import { connect } from 'node:net';
import { messageOf } from '#lib/errors.ts';
import { answerWith, boundReading } from './connect.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeEnv, type ProbeReport, type ResolveHost } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

const nextStep: Sentence = { code: 'seeMemory' };

const placeOf = (env: ProbeEnv): string => `Redis at ${env.REDIS_HOST}:${env.REDIS_PORT}`;

export const redisKind = probeKind({
  kind: 'redis',
  schema: {},
  create: (_fields, { env, resolveHost }) => redisProbe(env, resolveHost),
  describe: (_fields, env) => placeOf(env),
});

/** A probe that connects anew, gives the password where there is one, and pings. */
function redisProbe(env: ProbeEnv, resolveHost: ResolveHost): Probe {
  return async (signal) => {
    try {
      return judgeReplies(placeOf(env), await ask(env, resolveHost, signal));
    } catch (err) {
      if (err instanceof MonitorFaultError) throw err;
      return { outcome: 'failed', detail: `${placeOf(env)} does not answer: ${messageOf(err)}`, nextStep };
    }
  };
}

/**
 * What the replies to AUTH, if it was sent, and PING say. Pure.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 * @throws {MonitorFaultError} for a refused password: the server answers
 */
export function judgeReplies(where: string, replies: readonly string[]): ProbeReport {
  const refusal = replies.find((reply) => reply.startsWith('-'))?.slice(1);
  if (refusal === undefined) {
    return replies.at(-1) === '+PONG'
      ? { outcome: 'ok', detail: `${where} answers` }
      : { outcome: 'failed', detail: `${where} does not answer PONG to PING`, nextStep };
  }
  if (/^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH)\b/.test(refusal)) {
    throw new MonitorFaultError(`${where} refuses the monitor's own credentials (${refusal.split(' ')[0]}); check REDIS_PASSWORD`);
  }
  if (refusal.startsWith('ERR max number of clients')) return { outcome: 'degraded', detail: `${where} has no connection left` };
  return { outcome: 'failed', detail: `${where} refuses to answer: ${refusal.slice(0, 120)}`, nextStep };
}

/** Spoken by hand: two lines, of a protocol for which the client would keep several megabytes and hide why it failed. */
async function ask(env: ProbeEnv, resolveHost: ResolveHost, signal: AbortSignal): Promise<readonly string[]> {
  const lookup = answerWith(await resolveHost(env.REDIS_HOST, signal));
  const commands = [...(env.REDIS_PASSWORD === undefined ? [] : [['AUTH', env.REDIS_PASSWORD]]), ['PING']];
  const socket = connect({ host: env.REDIS_HOST, port: env.REDIS_PORT, lookup, signal });
  boundReading(socket);
  socket.once('connect', () => socket.write(commands.map(encode).join('')));
  let received = '';
  try {
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
      received += chunk;
      const replies = received.split('\r\n').slice(0, -1);
      // A server that is full says so at once, and closes.
      if (replies.length === commands.length || replies[0]?.startsWith('-')) return replies;
    }
  } finally {
    socket.destroy();
  }
  throw new Error('it closed the connection');
}

/** A command as an array of bulk strings. */
function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}
