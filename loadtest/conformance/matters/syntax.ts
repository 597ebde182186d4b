import type { Exchange, Recording } from '../exchange.ts';
import { isRefused } from '../exchange.ts';
import { isDeclared, isWhole, readList, type Member } from '../fields.ts';
import { fail, invalid, lacking, notSupported, pass, type Check, type Finding, type Matter } from '../matter.ts';

type FieldName = 'ratelimit-policy' | 'ratelimit';
const shown: Readonly<Record<FieldName, string>> = { 'ratelimit-policy': 'RateLimit-Policy', ratelimit: 'RateLimit' };

const withField = ({ exchanges }: Recording, name: FieldName): readonly Exchange[] =>
  exchanges.filter(({ answer }) => answer?.fields[name] !== undefined);

const valueOf = (exchange: Exchange, name: FieldName): string => exchange.answer?.fields[name] ?? '';

/** Holds the field of every answer that carries it against one demand. */
const judgeField =
  (name: FieldName, problem: (members: readonly Member[], value: string, exchange: Exchange) => string | undefined, good: string) =>
  (recording: Recording): Finding => {
    const sent = withField(recording, name);
    if (sent.length === 0) return lacking(recording, `${shown[name]} is not sent`, recording.exchanges);
    const problems = sent.flatMap((exchange) => {
      const value = valueOf(exchange, name);
      const members = readList(value);
      const found = members === undefined ? 'is no List of RFC 9651' : problem(members, value, exchange);
      return found === undefined ? [] : [{ exchange, found }];
    });
    const [first] = problems;
    if (first === undefined) return pass(`${sent.length} answers: ${good}`);
    const witnesses = problems.map(({ exchange }) => exchange);
    return fail(`${shown[name]} ${first.found}: ${valueOf(first.exchange, name)}`, witnesses);
  };

const notStrings = (members: readonly Member[]): string | undefined => {
  if (members.length === 0) return 'is empty';
  return members.every(({ value }) => typeof value === 'string') ? undefined : 'has an item that is no String';
};

type Demand = readonly [name: string, isOptional: boolean, isRight: (value: unknown) => boolean, what: string];

const policyDemands: readonly Demand[] = [
  ['q', false, (value) => isWhole(value, 0), 'a whole number of at least 0'],
  ['w', true, (value) => isWhole(value, 1), 'a whole number of at least 1'],
  ['qu', true, (value) => typeof value === 'string', 'a String'],
  ['pk', true, (value) => value instanceof ArrayBuffer, 'a Byte Sequence'],
];

const limitDemands: readonly Demand[] = [
  ['r', false, (value) => isWhole(value, 0), 'a whole number of at least 0'],
  ['t', true, (value) => isWhole(value, 0), 'a whole number of at least 0'],
  ['pk', true, (value) => value instanceof ArrayBuffer, 'a Byte Sequence'],
];

const brokenDemand =
  (demands: readonly Demand[]) =>
  (members: readonly Member[]): string | undefined => {
    for (const { parameters } of members) {
      for (const [name, isOptional, isRight, what] of demands) {
        if (!parameters.has(name) && !isOptional) return `has an item without ${name}`;
        if (parameters.has(name) && !isRight(parameters.get(name))) return `has an item whose ${name} is not ${what}`;
      }
    }
    return undefined;
  };

const nameless = (_: readonly Member[], __: string, exchange: Exchange): string | undefined => {
  const policies = readList(valueOf(exchange, 'ratelimit-policy'))?.map(({ value }) => value);
  if (policies === undefined || policies.length === 0) return undefined;
  const stray = readList(valueOf(exchange, 'ratelimit'))?.find(({ value }) => !policies.includes(value));
  return stray && `names a policy that RateLimit-Policy ("${valueOf(exchange, 'ratelimit-policy')}") does not`;
};

/** Without partition keys, which differ between clients. */
const policyText = (exchange: Exchange): string =>
  JSON.stringify(
    readList(valueOf(exchange, 'ratelimit-policy'))?.map(({ value, parameters }) => [
      String(value),
      ...[...parameters].filter(([name]) => name !== 'pk').map(String),
    ]),
  );

function judgeConstant(recording: Recording): Finding {
  const { method, path } = recording.declared;
  const sent = withField(recording, 'ratelimit-policy').filter((one) => one.method === method && one.path === path);
  const [first] = sent;
  if (first === undefined) return notSupported('RateLimit-Policy is not sent');
  const other = sent.find((one) => policyText(one) !== policyText(first));
  return other ? fail('RateLimit-Policy changed', [first, other]) : pass(`the same in ${sent.length} answers`);
}

function judgeOnRefusals(recording: Recording): Finding {
  if (withField(recording, 'ratelimit').length === 0) return lacking(recording, 'RateLimit is not sent', recording.exchanges);
  const refused = recording.exchanges.filter((one) => isRefused(recording, one));
  if (refused.length === 0) return invalid('nothing was refused');
  const without = refused.filter((one) => valueOf(one, 'ratelimit') === '');
  if (without.length === 0) return pass(`on all ${refused.length} refusals`);
  return without.length === refused.length
    ? lacking(recording, 'not on refusals', without)
    : fail('on some refusals and not on others', without);
}

/** Every request of the recording may witness syntax; these parts are always played. */
const stages = ['sequence', 'burst'];

const checks: readonly Check[] = [
  {
    id: 'policy-list',
    clause: 'draft-11 §3, RFC 9651 §3.1',
    title: 'RateLimit-Policy is a List of one or more Strings',
    stages,
    judge: judgeField('ratelimit-policy', notStrings, 'a List of Strings'),
  },
  {
    id: 'policy-parameters',
    clause: 'draft-11 §3.1.1–3.1.4',
    title: 'Each policy has q, a whole number; w, qu and pk, where they are, are of their type',
    stages,
    judge: judgeField('ratelimit-policy', brokenDemand(policyDemands), 'q, w, qu, pk of their type'),
  },
  {
    id: 'policy-true',
    clause: 'draft-11 §3.1.1, §3.1.3, L6',
    title: 'A policy names the limit that is declared, and its period',
    stages,
    judge: (recording) => {
      const isOther = ({ method, path }: Exchange): boolean => method !== recording.declared.method || path !== recording.declared.path;
      const { limit, periodMs } = recording.declared;
      return judgeField(
        'ratelimit-policy',
        (members, _, exchange) =>
          isOther(exchange) || members.some((one) => isDeclared(one, recording.declared))
            ? undefined
            : `names no policy of ${limit} requests in ${periodMs / 1_000} s`,
        `q=${limit}, w=${periodMs / 1_000}`,
      )(recording);
    },
  },
  { id: 'policy-constant', clause: 'draft-11 §3', title: 'RateLimit-Policy stays the same', stages, judge: judgeConstant },
  {
    id: 'limit-list',
    clause: 'draft-11 §4, RFC 9651 §3.1',
    title: 'RateLimit is a List of one or more Strings',
    stages,
    judge: judgeField('ratelimit', notStrings, 'a List of Strings'),
  },
  {
    id: 'limit-parameters',
    clause: 'draft-11 §4.1.1–4.1.3',
    title: 'Each limit has r, a whole number; t and pk, where they are, are of their type',
    stages,
    judge: judgeField('ratelimit', brokenDemand(limitDemands), 'r, t, pk of their type'),
  },
  {
    id: 'limit-names-policy',
    clause: 'draft-11 §4.1',
    title: 'Each limit is of a policy that RateLimit-Policy names',
    stages,
    judge: judgeField('ratelimit', nameless, 'policies that are named'),
  },
  { id: 'limit-on-refusals', clause: 'draft-11 §6', title: 'Refusals carry RateLimit too', stages, judge: judgeOnRefusals },
];

export const syntax: Matter = { stages: [], checks };
