import type { Pool } from 'pg';
import type { Logger } from '#lib/logger.ts';
import type { PasswordResets } from '../auth/password-resets.ts';
import { mailSettings, type ApiConfig } from '../config.ts';
import { smtpSender, startMailDelivery, type MailDelivery } from '../mail/deliver-mails.ts';
import { writeLetter } from '../mail/letters.ts';
import type { WaitingMail } from '../mail/outbox.ts';
import { createOtlpExporter, type SpanExporter } from '../observe/otlp-exporter.ts';

/** What a worker sends out by itself, where its settings say where to. */

type MailDeps = { readonly pool: Pool; readonly resets: PasswordResets; readonly logger: Logger };

/** Undefined: no mail server is set. */
export function deliverMails(config: ApiConfig, { pool, resets, logger }: MailDeps): MailDelivery | undefined {
  const settings = mailSettings(config);
  if (!settings) return undefined;
  const write = (mail: WaitingMail) => writeLetter(mail, { pool, resets, resetUrl: settings.resetUrl });
  return startMailDelivery({ pool, write, send: smtpSender(settings), logger });
}

/** Undefined: no collector is set. */
export function exportSpans(config: ApiConfig, serviceVersion: string, logger: Logger): SpanExporter | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: serviceName } = config;
  if (endpoint === undefined) return undefined;
  const headers = config.OTEL_EXPORTER_OTLP_HEADERS.map((header) => header.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return createOtlpExporter({ endpoint, headers: Object.fromEntries(headers), serviceName, serviceVersion, logger });
}
