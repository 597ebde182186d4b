import { idParams, pageQuery } from '../fields.ts';
import { route, type Route } from '../../http/route.ts';
import { deleted, found, listed } from '../../http/replies.ts';
import type { ApiServices } from '../services.ts';
import { assertMaySeeClient } from '../../clients/client-access.ts';
import { clientChanges, loginInput } from './client-schema.ts';
import { deleteClient } from './delete-client.ts';
import { login } from './login.ts';
import { presentClient, presentLogin } from './present-client.ts';
import { readClient, readClients } from './read-clients.ts';
import { registrationRoute } from './registration-route.ts';
import { updateClient } from './update-client.ts';

export const clientRoutes = (services: ApiServices): Route[] => [
  registrationRoute(services),
  loginRoute(services),
  ...readRoutes(services),
  ...writeRoutes(services),
];

function loginRoute(services: ApiServices): Route {
  return route({
    method: 'POST',
    path: '/clients/login',
    access: 'public',
    limitClass: 'login',
    limitTarget: ({ email }) => email.toLowerCase(),
    summary: 'Log in',
    body: loginInput,
    handler: async ({ body, signal }) => {
      const { client, token } = await login(services, body, signal);
      return { status: 200, body: presentLogin(client, token), headers: { 'Cache-Control': 'no-store' } };
    },
  });
}

function readRoutes({ pool }: ApiServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/clients',
      access: ['operator'],
      summary: 'List clients',
      query: pageQuery,
      handler: async ({ query }) => listed((await readClients(pool, query)).map(presentClient)),
    }),
    route({
      method: 'GET',
      path: '/clients/:id',
      access: ['customer', 'operator'],
      summary: 'Read a client',
      params: idParams,
      handler: async ({ params, principal }) => {
        assertMaySeeClient(principal, params.id);
        const client = await readClient(pool, params.id);
        return found(presentClient(client), client.version);
      },
    }),
  ];
}

function writeRoutes({ knex, tokens }: ApiServices): Route[] {
  return [
    route({
      method: 'PUT',
      path: '/clients/:id',
      access: ['customer', 'operator'],
      summary: 'Change a client',
      params: idParams,
      body: clientChanges,
      handler: async ({ params, body, principal, ifMatch }) => {
        assertMaySeeClient(principal, params.id);
        const client = await updateClient(knex, { id: params.id, changes: body, ifMatch });
        return found(presentClient(client), client.version);
      },
    }),
    route({
      method: 'DELETE',
      path: '/clients/:id',
      access: ['customer', 'operator', 'loadtest'],
      summary: 'Delete a client and all that is personal of it',
      params: idParams,
      handler: async ({ params, principal, ifMatch }) => {
        assertMaySeeClient(principal, params.id);
        const madeByKeyId = principal.kind === 'loadtest' ? principal.keyId : undefined;
        await deleteClient(knex, { id: params.id, madeByKeyId, ifMatch });
        tokens.forget(params.id);
        return deleted;
      },
    }),
  ];
}
