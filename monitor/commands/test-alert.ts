import { ConfigError, messageOf } from '#lib/errors.ts';
import { alertId, type Alert } from '../model/alert.ts';
import { AlertDeliveryError, type Channel } from '../alerts/channel.ts';

export type TestAlertResult = { readonly channel: string; readonly delivered: boolean; readonly problem: string | null };

const sendTimeoutMs = 20_000;

/**
 * Sends one message marked [TEST] over every channel, past the outbox, so that a running daemon is not needed.
 * @throws {ConfigError} when no channel is configured
 */
export async function sendTestAlerts(channels: readonly Channel[], now: Date): Promise<readonly TestAlertResult[]> {
  if (channels.length === 0) throw new ConfigError(['no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL']);
  const alert = testAlert(now);
  return Promise.all(
    channels.map(async ({ name, send }) => {
      try {
        await send(alert, { mayRepeat: false, mayComeAgain: false, delayMs: 0, tellsToo: [] }, AbortSignal.timeout(sendTimeoutMs));
        return { channel: name, delivered: true, problem: null };
      } catch (err) {
        return { channel: name, delivered: false, problem: err instanceof AlertDeliveryError ? err.failure.detail : messageOf(err) };
      }
    }),
  );
}

function testAlert(now: Date): Alert {
  const at = now.toISOString();
  const incidentId = `test-${at.replaceAll(/[-:.]/g, '')}`;
  return {
    id: alertId(incidentId, 'test'),
    event: 'test',
    incidentId,
    probe: 'monitor',
    detail: 'this is a test; alerts reach this channel',
    startedAt: at,
    decidedAt: at,
    dependents: [],
  };
}
