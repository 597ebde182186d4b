import type { AccessToken } from '../../auth/tokens.ts';

/** What the public may know of a client's columns; numbers may be PostgreSQL's text. */
export type ClientRow = {
  readonly id_key: number | string;
  readonly name: string;
  readonly lastname: string;
  readonly email: string;
  readonly telephone: string | null;
  readonly version: number | string;
};

/** The columns `presentClient` needs; no password hash among them. */
export const clientColumns = ['id_key', 'name', 'lastname', 'email', 'telephone', 'version'] as const;

/** The public JSON of a client. */
export function presentClient({ id_key, name, lastname, email, telephone, version }: ClientRow): string {
  return `{"id_key":${id_key},"name":${JSON.stringify(name)},"lastname":${JSON.stringify(lastname)},"email":${JSON.stringify(email)},"telephone":${JSON.stringify(telephone)},"version":${version}}`;
}

/** A client's JSON with an access token beside its own members. */
export function withToken(clientJson: string, token: AccessToken): string {
  return `${clientJson.slice(0, -1)},${tokenMembers(token)}}`;
}

/** The answer to a login. */
export function presentLogin(client: { readonly id_key: number; readonly name: string }, token: AccessToken): string {
  return `{"id_key":${client.id_key},"name":${JSON.stringify(client.name)},${tokenMembers(token)}}`;
}

/** Named as in RFC 6749 §5.1. */
function tokenMembers({ accessToken, expiresInSeconds }: AccessToken): string {
  return `"access_token":${JSON.stringify(accessToken)},"token_type":"Bearer","expires_in":${expiresInSeconds}`;
}
