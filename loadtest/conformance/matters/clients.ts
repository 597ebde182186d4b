import { byClient, isAllowed, isRefused, ofStage, type Exchange, type Recording } from '../exchange.ts';
import {
  askAtOnce,
  fail,
  invalid,
  unproved,
  notChecked,
  pass,
  type Check,
  type Client,
  type Finding,
  type Matter,
  type Player,
  type Stage,
} from '../matter.ts';
import { earlyRefusal, isWithinPeriod, overfullWindow } from '../windows.ts';

const tookTooLong = 'what was asked took longer than a period';
const goodClients = 5;
/** What good clients use, and how many times faster than the limit the abuser asks. */
const goodShare = 0.8;
const abuse = 5;

/** Fields that proxies set, and everybody can write. */
const forwardedFields = ['X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Forwarded'] as const;

/** The field clients are told apart by; undefined where that is their address. */
const identityField = (identity: string): string | undefined =>
  identity === 'ip' ? undefined : identity === 'token' ? 'authorization' : identity.slice('header:'.length).toLowerCase();

/** One client who asks far too often beside some who never ask too often. */
const crowd: Stage = {
  name: 'crowd',
  clients: goodClients + 1,
  play: async ({ client, now, waitUntil, declared: { limit, periodMs } }) => {
    const abuser = await client();
    const good: Client[] = [];
    while (good.length < goodClients) good.push(await client());
    const startedMs = now();
    const paced = async (one: Client, share: number, note: string): Promise<void> => {
      const everyMs = periodMs / (limit * share);
      for (let sent = 0; sent * everyMs < 1.2 * periodMs; sent += 1) {
        await waitUntil(startedMs + sent * everyMs);
        await one.ask({ note });
      }
    };
    await Promise.all([paced(abuser, abuse, 'abuser'), ...good.map((one) => paced(one, goodShare, 'good'))]);
  },
};

/** One client uses its limit up, another one asks from the same address. */
const neighbour: Stage = {
  name: 'neighbour',
  clients: 2,
  isPrevented: (_, { identity }) => (identity === 'ip' ? 'clients are told apart by their address here' : undefined),
  play: async ({ client, declared: { limit } }) => {
    const [first, second] = [await client(), await client()];
    await askAtOnce(first, limit + 1);
    await second.ask();
  },
};

const forging: Stage = {
  name: 'forged',
  clients: 1,
  isPrevented: (_, { identity }) =>
    forwardedFields.some((name) => name.toLowerCase() === identityField(identity))
      ? `clients are told apart by ${identityField(identity)} here, which this target believes from whoever asks`
      : undefined,
  play: async ({ client, declared: { limit } }) => {
    const forger = await client();
    await askAtOnce(forger, limit);
    for (const [index, name] of forwardedFields.entries()) {
      const address = `198.51.100.${index + 1}`;
      const value = name === 'Forwarded' ? `for=${address}` : address;
      await forger.ask({ headers: { [name]: value }, note: `${name}: ${value}` });
    }
  },
};

/** Two addresses of one /64, and one of another /48. */
const networks: Stage = {
  name: 'networks',
  clients: 1,
  isPrevented: ({ trustedProxy }, { identity }) =>
    trustedProxy === undefined && identityField(identity) !== 'x-forwarded-for'
      ? 'IPv6 clients can only be played where X-Forwarded-For is believed: --trusted-proxy ADDRESS, or --identity header:X-Forwarded-For'
      : undefined,
  play: async (player) => {
    const network = `2001:db8:${Math.floor(player.now() % 60_000).toString(16)}`;
    const asking = await player.client();
    const asNetwork = addressed(player, asking);
    for (let asked = 0; asked < player.declared.limit; asked += 1) await asNetwork(`${network}:1::1`);
    await asNetwork(`${network}:1:ffff::2`);
    await asNetwork(`2001:db9:${network.slice(9)}:1::1`);
  },
};

const addressed =
  ({ means: { trustedProxy } }: Player, client: Client) =>
  (address: string): Promise<Exchange> =>
    client.ask({
      headers: { 'X-Forwarded-For': address },
      note: `X-Forwarded-For: ${address}`,
      ...(trustedProxy !== undefined && { from: trustedProxy }),
    });

/** The limit under the name of the field as it is usually written, then in other cases. */
const spelling: Stage = {
  name: 'spelling',
  clients: 1,
  isPrevented: (_, { identity }) => (identityField(identity) === undefined ? 'no field tells clients apart here' : undefined),
  play: async ({ client, declared: { limit } }) => {
    const asking = await client();
    await askAtOnce(asking, limit);
    await asking.ask({ spelling: (name) => name.toUpperCase(), note: 'field name in capitals' });
    await asking.ask({ spelling: (name) => name.toLowerCase(), note: 'field name in small letters' });
  },
};

function judgeIsolation(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'crowd');
  const good = byClient(exchanges.filter(({ note }) => note === 'good'));
  for (const ofClient of good) {
    const early = earlyRefusal(recording, ofClient);
    if (early) return fail('a client far below its limit was refused beside one far above', early.slice(0, 2));
  }
  const refused = good.flat().filter((one) => isRefused(recording, one));
  if (refused.length > 0) return unproved('the client was late, and made up for it faster than the limit allows', refused);
  if (!exchanges.some((one) => one.note === 'abuser' && isRefused(recording, one))) return unproved('the abuser was never refused');
  return pass(`${good.flat().length} requests of ${good.length} good clients, none refused beside an abuser`);
}

function judgeNeighbour(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'neighbour');
  const last = exchanges.at(-1);
  if (last === undefined) return invalid('nothing was asked');
  if (isRefused(recording, last)) return fail('a second client of one address was refused for what the first had used', [last]);
  if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
  return pass('a second client of the same address has a quota of its own');
}

/** What the same client asks beyond its limit, however it is dressed, must be refused. */
const judgeSameQuota =
  (stage: string, good: string) =>
  (recording: Recording): Finding => {
    const exchanges = ofStage(recording, stage);
    const { limit, periodMs } = recording.declared;
    const dressed = exchanges.slice(limit);
    const escaped = dressed.filter((one) => {
      const upTo = exchanges.filter(({ sentMs }) => sentMs <= one.sentMs);
      return (
        isAllowed(recording, one) &&
        overfullWindow(
          upTo.filter((other) => isAllowed(recording, other)),
          limit,
          periodMs,
        ) !== undefined
      );
    });
    if (escaped.length > 0) return fail(`another quota for the same client: ${escaped[0]?.note}`, escaped);
    if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
    return pass(good);
  };

function judgeNetworks(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'networks');
  const { limit } = recording.declared;
  const other = exchanges.at(-1);
  if (exchanges.length < limit + 2 || other === undefined) return invalid('not everything was asked');
  const refusedAll = exchanges.filter((one) => isRefused(recording, one));
  if (refusedAll.length === 0 && exchanges.length > limit + 2) return notChecked('X-Forwarded-For is not believed from there');
  const same = judgeSameQuota('networks', 'one quota for a /64')({ ...recording, exchanges: exchanges.slice(0, -1) });
  if (same.outcome !== 'PASS') return same;
  if (isRefused(recording, other)) return fail('one quota for addresses of different networks', [other]);
  return pass('one quota for a /64, another one for another network');
}

const checks: readonly Check[] = [
  {
    id: 'clients-isolated',
    clause: 'L7',
    title: 'Beside a client far above its limit nobody below is refused',
    stages: ['crowd'],
    judge: judgeIsolation,
  },
  {
    id: 'clients-share-no-address',
    clause: 'L8',
    title: 'Two clients behind one address have a quota each, where something else tells them apart',
    stages: ['neighbour'],
    judge: judgeNeighbour,
  },
  {
    id: 'forged-address',
    clause: 'L8',
    title: 'X-Forwarded-For and its kin, written by the client itself, give no other quota',
    stages: ['forged'],
    judge: judgeSameQuota('forged', `${forwardedFields.length} forged fields, one quota`),
  },
  {
    id: 'ipv6-network',
    clause: 'L8',
    title: 'All addresses of an IPv6 /64 share a quota, those of another network do not',
    stages: ['networks'],
    judge: judgeNetworks,
  },
  {
    id: 'field-name-case',
    clause: 'RFC 9110 §5.1',
    title: 'The field that tells clients apart does so in capitals and small letters alike',
    stages: ['spelling'],
    judge: judgeSameQuota('spelling', 'one quota however the name is written'),
  },
];

export const clients: Matter = { stages: [crowd, neighbour, forging, networks, spelling], checks };
