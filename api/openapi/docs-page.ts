import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ApiError } from '../errors.ts';
import { isUnchanged } from '../http/etag.ts';
import type { ApiContext, ApiMiddleware } from '../http/exchange.ts';
import type { Route } from '../http/route.ts';
import { send } from '../http/send.ts';
import { openApiDocument } from './openapi-document.ts';

type File = { readonly body: string; readonly contentType: string; readonly etag: string };

/** Swagger UI sets styles of its own; nothing comes from elsewhere. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Atalaya: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"><p>What the API accepts and answers: <a href="/openapi.json">openapi.json</a></p></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null, tryItOutEnabled: true });\n`;

/** GET /openapi.json, and GET /docs, which shows it in a browser with nothing from another server. */
export function docsPage(routes: readonly Route[]): ApiMiddleware {
  const files = new Map([
    ['/openapi.json', made('application/json', () => JSON.stringify(openApiDocument(routes)))],
    ['/docs', made('text/html; charset=utf-8', () => page)],
    ['/docs/start.js', made('text/javascript; charset=utf-8', () => start)],
    ['/docs/swagger-ui.css', made('text/css; charset=utf-8', () => asset('swagger-ui.css'))],
    ['/docs/swagger-ui-bundle.js', made('text/javascript; charset=utf-8', () => asset('swagger-ui-bundle.js'))],
  ]);
  return (ctx, next) => {
    const { path } = ctx.state;
    const open = files.get(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);
    return open ? show(ctx, open) : next();
  };
}

async function show(ctx: ApiContext, open: () => Promise<File>): Promise<void> {
  const { method, headers } = ctx.req;
  const allow = { Allow: 'HEAD, GET, OPTIONS' };
  if (method === 'OPTIONS') return send(ctx, { status: 204, headers: allow });
  if (method !== 'GET' && method !== 'HEAD')
    throw new ApiError('method_not_allowed', 'This path does not take this method.', { headers: allow });
  const { body, contentType, etag } = await open();
  const sent = { ETag: etag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': policy };
  return isUnchanged(headers['if-none-match'], etag)
    ? send(ctx, { status: 304, headers: sent })
    : send(ctx, { status: 200, body, contentType, headers: sent });
}

/** Made when it is first asked for. One that could not be read is tried again when it is next asked for. */
function made(contentType: string, make: () => string | Promise<string>): () => Promise<File> {
  let file: Promise<File> | undefined;
  return () =>
    (file ??= fileOf(contentType, make).catch((err: unknown) => {
      file = undefined;
      throw err;
    }));
}

async function fileOf(contentType: string, make: () => string | Promise<string>): Promise<File> {
  const body = await make();
  return { body, contentType, etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"` };
}

const asset = (name: string): Promise<string> => readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)), 'utf8');
