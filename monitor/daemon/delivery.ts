import type { Channel } from '../alerts/channel.ts';
import { createChannels } from '../alerts/channels/kinds.ts';
import { createDeliveryLoop, type DeliveryLoop } from '../alerts/deliver.ts';
import type { MonitorSettings } from '../config/config.ts';
import { withEvidence, type Evidence } from '../evidence/evidence.ts';
import { signLink, type SignedLink } from '../quiet/signature.ts';
import type { House } from './house.ts';

/** The ways to people that the settings name, each with its loop; their messages tell what was found out since they were queued. */
export function createDelivery(house: House, settings: MonitorSettings, evidence: Evidence): DeliveryLoop[] {
  const { statusUrl } = settings.sender;
  const ackUrl = (incidentId: string): string => ackPath(statusUrl, signLink(house.signer, incidentId, house.clock().at));
  const channels = createChannels(settings.env, { ...settings.sender, ackUrl });
  if (channels.length === 0) house.logger.warn('no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL');
  return channels.map((channel) => createLoop(house, settings, house.decorate.channel(withEvidence(channel, evidence))));
}

function createLoop({ outbox, selfAlerts, clock, logger }: House, settings: MonitorSettings, channel: Channel): DeliveryLoop {
  return createDeliveryLoop({
    channel,
    outbox,
    backoff: { ...settings.delivery, jitter: 0.5 },
    clock,
    random: Math.random,
    onSetAside: ({ alert, attempts }, why) => {
      // A message about the monitor itself that nobody takes would only beget the next one.
      if (alert.probe.startsWith('monitor.')) return;
      const detail = `${channel.name} refused a message ${attempts} times, so it is set aside: ${alert.event} ${alert.probe}, ${alert.detail} (${why})`;
      selfAlerts.notice({ part: channel.name, detail, except: [channel.name] });
    },
    logger,
  });
}

const ackPath = (statusUrl: string, link: SignedLink): string => new URL(`/ack?${new URLSearchParams(link).toString()}`, statusUrl).href;
