import { junitXml } from '#loadtest/report/junit.ts';
import { planSuite } from '#loadtest/report/plan-suite.ts';
import { resultOf } from '#loadtest/report/report-json.ts';
import type { Report } from '#loadtest/report/report.ts';
import { toJson } from '#loadtest/report/run-report.ts';

/** The report.json of a plan's run. */
export const reportJson = (report: Report): string => toJson(resultOf(report));

/** Its junit.xml. */
export const reportJunit = (report: Report): string => junitXml([planSuite(report)]);
