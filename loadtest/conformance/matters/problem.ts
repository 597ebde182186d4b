import { isRefused, type Exchange, type Recording } from '../exchange.ts';
import { readList } from '../fields.ts';
import { fail, invalid, lacking, pass, type Check, type Finding, type Matter } from '../matter.ts';

const base = 'https://iana.org/assignments/http-problem-types';
const quotaExceeded = `${base}#quota-exceeded`;
/** The problem types that the draft registers. */
const draftTypes: readonly unknown[] = [quotaExceeded, `${base}#abnormal-usage-detected`, `${base}#temporary-reduced-capacity`];

type Document = Readonly<Record<string, unknown>>;

/** The problem document of a refusal, undefined when its body is no JSON object. */
function documentOf({ answer }: Exchange): Document | undefined {
  try {
    const value: unknown = JSON.parse(answer?.body ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : undefined;
  } catch {
    return undefined;
  }
}

const isProblem = ({ answer }: Exchange): boolean =>
  (answer?.fields['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() === 'application/problem+json';

/** Answers to HEAD have no body. */
const refusedOf = (recording: Recording): readonly Exchange[] =>
  recording.exchanges.filter((one) => one.method !== 'HEAD' && isRefused(recording, one));

/** Holds every refusal that is a problem document against one demand. */
const judgeDocuments =
  (problem: (document: Document, exchange: Exchange) => string | undefined, isMeant: (document: Document) => boolean, good: string) =>
  (recording: Recording): Finding => {
    const refused = refusedOf(recording);
    if (refused.length === 0) return invalid('nothing was refused');
    const documents = refused.filter(isProblem).filter((one) => isMeant(documentOf(one) ?? {}));
    if (documents.length === 0) return lacking(recording, 'refusals carry no such problem document', refused);
    const wrong = documents.filter((one) => problem(documentOf(one) ?? {}, one) !== undefined);
    const [first] = wrong;
    return first ? fail(problem(documentOf(first) ?? {}, first) ?? '', wrong) : pass(`${documents.length} refusals: ${good}`);
  };

function judgeShape(recording: Recording): Finding {
  const broken = refusedOf(recording).filter((one) => isProblem(one) && documentOf(one) === undefined);
  if (broken.length > 0) return fail('application/problem+json, and the body is no JSON object', broken);
  return judgeDocuments(misshapen, () => true, 'type, title, status, detail, instance of their type')(recording);
}

/** RFC 9457 §3.1: members of another type must be ignored, so they say nothing. */
function misshapen(document: Document, { answer }: Exchange): string | undefined {
  for (const name of ['type', 'title', 'detail', 'instance']) {
    if (document[name] !== undefined && typeof document[name] !== 'string') return `member ${name} is no string`;
  }
  const { status } = document;
  if (status !== undefined && status !== answer?.status)
    return `member status is ${JSON.stringify(status)}, the answer is ${answer?.status}`;
  return undefined;
}

const hasDraftType = ({ type }: Document): boolean => draftTypes.includes(type);

/** Those that speak the draft's language in one way or the other are held to all of it. */
const speaksDraft = (document: Document): boolean =>
  hasDraftType(document) || Object.keys(document).some((name) => /^violated.?policies$/i.test(name));

function violatedProblem(document: Document, { answer }: Exchange): string | undefined {
  const violated = document['violated-policies'];
  if (violated === undefined) return 'the member violated-policies is missing';
  if (!Array.isArray(violated) || violated.length === 0 || violated.some((name) => typeof name !== 'string')) {
    return 'violated-policies is no list of names';
  }
  const policies = readList(answer?.fields['ratelimit-policy'] ?? '')?.map(({ value }) => value) ?? [];
  const stray = policies.length === 0 ? undefined : violated.find((name) => !policies.includes(name as string));
  if (stray !== undefined) return `violated-policies names ${String(stray)}, RateLimit-Policy does not`;
  const left = readList(answer?.fields['ratelimit'] ?? '')?.find(
    ({ value, parameters }) => violated.includes(value) && parameters.get('r') !== 0,
  );
  return left && `violated-policies names ${String(left.value)}, of which RateLimit says that something is left`;
}

const stages = ['sequence', 'burst'];

const checks: readonly Check[] = [
  {
    id: 'problem-document',
    clause: 'RFC 9457 §3',
    title: 'A refusal that is application/problem+json is a problem document, and its status the answer’s',
    stages,
    judge: judgeShape,
  },
  {
    id: 'problem-type',
    clause: 'draft-11 §5.1',
    title: 'The problem type of a refusal is quota-exceeded',
    stages,
    judge: judgeDocuments(
      ({ type }) =>
        hasDraftType(type === undefined ? {} : { type }) ? undefined : `type is ${JSON.stringify(type)}, not ${quotaExceeded}`,
      speaksDraft,
      quotaExceeded,
    ),
  },
  {
    id: 'problem-violated-policies',
    clause: 'draft-11 §5.1',
    title: 'violated-policies names the policies that are used up, as RateLimit-Policy does',
    stages,
    judge: judgeDocuments(violatedProblem, speaksDraft, 'names of policies that are used up'),
  },
];

export const problem: Matter = { stages: [], checks };
