import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readEnv } from '#lib/env.ts';
import { AlertDeliveryError, type Channel, type DeliveryFailure } from '#monitor/alerts/channel.ts';
import { channelEnv, createChannels } from '#monitor/alerts/channels/kinds.ts';
import type { Alert } from '#monitor/model/alert.ts';

const alert: Alert = {
  id: 'api-1.firing.1',
  event: 'firing',
  incidentId: 'api-1',
  probe: 'api',
  detail: 'HTTP 503 – überlastet',
  startedAt: '2026-11-24T02:00:00.000Z',
  decidedAt: '2026-11-24T02:00:09.000Z',
  dependents: [],
};
const delivery = { mayRepeat: false, mayComeAgain: false, delayMs: 0, tellsToo: [] };

type Posted = { readonly headers: IncomingMessage['headers']; readonly body: string };

/** A receiver on this machine, and the channel that posts to it. */
async function connect(respond: (response: ServerResponse, request: IncomingMessage) => void, env: Record<string, string> = {}) {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      posted.push({ headers: request.headers, body });
      respond(response, request);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret`;
  const [channel] = createChannels(readEnv(channelEnv, { WEBHOOK_URL: url, ...env }), {
    deployment: 'shop',
    language: 'en',
    host: 'tower',
    statusUrl: 'http://status',
  });
  return { posted, server, channel: channel as Channel };
}

async function failureOf(channel: Channel, signal = new AbortController().signal): Promise<DeliveryFailure> {
  const err: unknown = await channel.send(alert, delivery, signal).catch((thrown: unknown) => thrown);
  expect(err).toBeInstanceOf(AlertDeliveryError);
  expect((err as Error).message).not.toContain('secret');
  return (err as AlertDeliveryError).failure;
}

describe('a webhook', () => {
  test('gets the alert as JSON, with its id and a signature that the receiver can check', async () => {
    const key = 'whsec_MDEyMzQ1Njc4OWFiY2RlZg==';
    const { posted, channel } = await connect((response) => response.writeHead(204).end(), { WEBHOOK_KEY: key });
    await channel.send(alert, delivery, new AbortController().signal);
    const [{ headers, body }] = posted as [Posted];
    expect(JSON.parse(body)).toMatchObject({ type: 'alert.firing', data: { id: alert.id, detail: alert.detail } });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': alert.id });
    const signed = `${alert.id}.${String(headers['webhook-timestamp'])}.${body}`;
    const expected = createHmac('sha256', Buffer.from('0123456789abcdef')).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  test('of PagerDuty gets the routing key in the body and no signature', async () => {
    const env = { WEBHOOK_FORM: 'pagerduty', WEBHOOK_KEY: 'R0123456789abcdef' };
    const { posted, channel } = await connect((response) => response.writeHead(202).end(), env);
    await channel.send(alert, delivery, new AbortController().signal);
    expect(JSON.parse(posted[0]?.body ?? '')).toMatchObject({ routing_key: env.WEBHOOK_KEY, event_action: 'trigger' });
    expect(posted[0]?.headers['webhook-signature']).toBeUndefined();
  });

  test.each([
    [429, { scope: 'channel', isLasting: false, retryAfterMs: 1_500 }],
    [503, { scope: 'channel', isLasting: false, retryAfterMs: 1_500 }],
    [400, { scope: 'message', isLasting: true }],
    [404, { scope: 'channel', isLasting: true }],
    [301, { scope: 'channel', isLasting: true }],
  ])('that answers %i fails with %j', async (status, failure) => {
    const { channel } = await connect((response) => response.writeHead(status, { 'retry-after': '1.5', location: '/' }).end());
    expect(await failureOf(channel)).toMatchObject({ ...failure, detail: `HTTP ${status}` });
  });

  test('that hangs is given up when the signal fires, and may have taken the alert', async () => {
    const stop = new AbortController();
    const { channel } = await connect(() => stop.abort(new Error('the send took too long')));
    expect(await failureOf(channel, stop.signal)).toMatchObject({ scope: 'channel', isLasting: false, mayHaveArrived: true });
  });

  test('that cuts the connection may have taken the alert; one that is gone has not', async () => {
    const { channel, server } = await connect((_response, request) => request.socket.resetAndDestroy());
    expect(await failureOf(channel)).toMatchObject({ isLasting: false, mayHaveArrived: true });
    server.close();
    await once(server, 'close');
    expect(await failureOf(channel)).toMatchObject({ isLasting: false, mayHaveArrived: false });
  });
});
