const HIDDEN = '(hidden)';

/** Names of fields that are never logged, whatever holds them. */
export const secretFieldNames = [
  'password',
  'token',
  'access_token',
  'refresh_token',
  'reset_token',
  'api_key',
  'secret',
  'authorization',
  'cookie',
  'x-api-key',
] as const;

const patterns: readonly [RegExp, string][] = [
  // Credentials inside a URL, as in smtp://user:password@host. Bounded, since each letter of a long word may begin a scheme.
  [/([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]*):[^\s/@]+@/gi, `$1:${HIDDEN}@`],
  // The path of a Slack incoming webhook is its secret.
  [/(https?:\/\/[^\s/]+\/services\/)[^\s"']+/gi, `$1${HIDDEN}`],
  [/\b(bearer\s+)[a-z0-9._~+/=-]+/gi, `$1${HIDDEN}`],
  [
    /\b((?:[a-z0-9]+[-_]){0,3}(?:api[-_]?key|password|passwd|secret|token|authorization))(["']?\s*[:=]\s*["']?)(?!bearer\b|\(hidden\))[^\s"',;&}]+/gi,
    `$1$2${HIDDEN}`,
  ],
  [/\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b/g, HIDDEN],
];

/** Free text with credentials, tokens and card numbers hidden. */
export function redactText(text: string): string {
  let redacted = text;
  for (const [pattern, replacement] of patterns) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

/** A URL fit for showing: origin only, since path, query and user part may all be secret. */
export function redactUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.protocol}//${parsed.host}/…` : HIDDEN;
}
