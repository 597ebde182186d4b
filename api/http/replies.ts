import { etagOf } from './etag.ts';
import type { Reply } from './route.ts';

/** The forms of a handler's reply. Bodies are presented already, as JSON text. */

/** 200 with one thing and the version of it that If-Match can name. */
export function found(body: string, version: number | string): Reply {
  return { status: 200, body, headers: { ETag: etagOf(Number(version)) } };
}

/** 200 with a bare array of things, each as its JSON text. */
export function listed(items: readonly string[]): Reply {
  return { status: 200, body: `[${items.join(',')}]` };
}

/** 201 with the new thing and its path below the API's root, as in `products/7`. */
export function created(path: string, version: number, body: string): Reply {
  return { status: 201, body, headers: { Location: `/api/v1/${path}`, ETag: etagOf(version) } };
}

export const deleted: Reply = { status: 204 };
