import { escapeText } from '#lib/html.ts';
import { countOutcomes, type Outcome } from '../judge/outcome.ts';
import type { Verdict } from '../judge/verdict.ts';
import { sayVerdict } from './describe.ts';

/** One thing that was looked at, as reports of every kind of run list it. */
export type Case = {
  /** Stable, for scripts. */
  readonly id: string;
  readonly title: string;
  readonly outcome: Outcome;
  /** What was found, in one sentence. */
  readonly says: string;
  /** What can be looked up of it, a line each. */
  readonly seen: readonly string[];
  /** Its own page, seen from the page it is listed on. */
  readonly page?: string;
  /** What it is a part of; default: its suite. */
  readonly group?: string;
};

export type Suite = {
  readonly name: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly verdict: Verdict;
  readonly cases: readonly Case[];
  /** Lines that stand beside the cases and break nothing. */
  readonly beside?: readonly string[];
};

/** What came of a run that is a list of things looked at, in one sentence. */
export function sentenceOf(verdict: Verdict, cases: readonly Case[]): string {
  const reasons = cases.filter(({ outcome }) => outcome === verdict).map(({ id, says }) => `${id}: ${says}`);
  return sayVerdict(verdict, reasons, countOutcomes(cases.map(({ outcome }) => outcome)));
}

/**
 * Test cases for a build server: a failure is what the service did, an error what client and machine made of a run that proves
 * nothing, skipped what was not looked at. So there are failures when and only when the verdict is FAIL.
 */
export const junitXml = (suites: readonly Suite[]): string => `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totalsOf(suites.flatMap(({ cases }) => cases))}>
${suites.map(suiteXml).join('\n')}
</testsuites>
`;

function suiteXml({ name, startedAt, verdict, cases, beside = [] }: Suite): string {
  const output = beside.length === 0 ? '' : `\n    <system-out>${escapeText(beside.join('\n'))}</system-out>`;
  return `  <testsuite name="${escapeText(name)}" timestamp="${startedAt}" ${totalsOf(cases)}>
    <properties><property name="verdict" value="${verdict}"/></properties>
${cases.map((one) => caseXml(one, name)).join('\n')}${output}
  </testsuite>`;
}

function totalsOf(cases: readonly Case[]): string {
  const count = (...outcomes: Outcome[]): number => cases.filter(({ outcome }) => outcomes.includes(outcome)).length;
  return `tests="${cases.length}" failures="${count('FAIL')}" errors="${count('INVALID')}" skipped="${count('NOT SUPPORTED', 'NOT CHECKED')}"`;
}

function caseXml({ id, title, outcome, says, seen, group }: Case, suite: string): string {
  const [message, type] = [escapeText(says), escapeText(id)];
  const body = {
    PASS: `<system-out>${escapeText([says, ...seen].join('\n'))}</system-out>`,
    FAIL: `<failure type="${type}" message="${message}">${escapeText(seen.join('\n'))}</failure>`,
    INVALID: `<error type="${type}" message="${message}">${escapeText(seen.join('\n'))}</error>`,
    'NOT SUPPORTED': `<skipped message="${escapeText(`${outcome}: ${says}`)}"/>`,
    'NOT CHECKED': `<skipped message="${message}"/>`,
  }[outcome];
  return `    <testcase classname="${escapeText(group ?? suite)}" name="${escapeText(`${id}: ${title}`)}">${body}</testcase>`;
}
