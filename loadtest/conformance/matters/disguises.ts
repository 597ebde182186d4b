import { isAllowed, isRefused, ofStage, type Exchange, type Recording } from '../exchange.ts';
import {
  askAtOnce,
  fail,
  invalid,
  notChecked,
  pass,
  unproved,
  type Check,
  type Client,
  type Finding,
  type Matter,
  type Player,
  type Stage,
  type Variation,
} from '../matter.ts';
import { isWithinPeriod, overfullWindow } from '../windows.ts';

/** Fields that proxies set, and everybody can write. */
const forwardedFields = ['X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Forwarded'] as const;

/** The field clients are told apart by; undefined where that is their address. */
const identityField = (identity: string): string | undefined =>
  identity === 'ip' ? undefined : identity === 'token' ? 'authorization' : identity.slice('header:'.length).toLowerCase();

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
    // Refused only where the field above it was not believed and all of this came off the quota of the sender itself.
    await asking.ask({ note: 'without X-Forwarded-For', ...sentFrom(player) });
  },
};

/** One client behind the proxy, which adds its address to what the client itself wrote. */
const hops: Stage = {
  name: 'hops',
  clients: 1,
  isPrevented: ({ trustedProxy }) =>
    trustedProxy === undefined ? 'no proxy is known that is believed: --trusted-proxy ADDRESS' : undefined,
  play: async (player) => {
    const address = `203.0.113.${1 + (Math.floor(player.now()) % 250)}`;
    const asking = await player.client();
    const asAddress = addressed(player, asking);
    for (let asked = 0; asked < player.declared.limit; asked += 1) await asAddress(address);
    await asAddress(`198.51.100.9, ${address}`);
    await asking.ask({ note: 'without X-Forwarded-For', ...sentFrom(player) });
  },
};

const addressed =
  (player: Player, client: Client) =>
  (address: string): Promise<Exchange> =>
    client.ask({
      headers: { 'X-Forwarded-For': address },
      note: `X-Forwarded-For: ${address}`,
      ...sentFrom(player),
    });

const sentFrom = ({ means: { trustedProxy } }: Player): Pick<Variation, 'from'> =>
  trustedProxy === undefined ? {} : { from: trustedProxy };

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
    if (!isWithinPeriod(recording, exchanges)) return unproved('what was asked took longer than a period');
    return pass(good);
  };

/** The last request of the stage shows whether the field is believed at all; the one after the limit is the disguised one. */
function judgeForwarded(recording: Recording, stage: string, good: string): Finding {
  const exchanges = ofStage(recording, stage);
  const { limit } = recording.declared;
  const bare = exchanges.at(-1);
  if (bare?.note !== 'without X-Forwarded-For') return invalid('not everything was asked');
  if (isRefused(recording, bare)) return notChecked('X-Forwarded-For is not believed from there', [bare]);
  return judgeSameQuota(stage, good)({ ...recording, exchanges: exchanges.slice(0, limit + 1) });
}

function judgeNetworks(recording: Recording): Finding {
  const same = judgeForwarded(recording, 'networks', 'one quota for a /64');
  if (same.outcome !== 'PASS') return same;
  const other = ofStage(recording, 'networks')[recording.declared.limit + 1];
  if (other && isRefused(recording, other)) return fail('one quota for addresses of different networks', [other]);
  return pass('one quota for a /64, another one for another network');
}

const checks: readonly Check[] = [
  {
    id: 'forged-address',
    clause: 'L8',
    title: 'X-Forwarded-For and its kin, written by the client itself, give no other quota',
    stages: ['forged'],
    judge: judgeSameQuota('forged', `${forwardedFields.length} forged fields, one quota`),
  },
  {
    id: 'forged-hop',
    clause: 'L8',
    title: 'What a client writes into X-Forwarded-For before a proxy adds its address gives no other quota',
    stages: ['hops'],
    judge: (recording) => judgeForwarded(recording, 'hops', 'one quota, whatever the client wrote'),
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

/** The same client in another dress. */
export const disguises: Matter = { stages: [forging, hops, networks, spelling], checks };
