import { showDuration, writeDuration } from '#lib/show.ts';
import type { MonitorSettings, ProbeSettings } from '../config/config.ts';
import { burnFactor, burnRules, periodMs } from '../slo/burn.ts';

export type Rule = {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};
export type RuleGroup = { readonly name: string; readonly rules: readonly Rule[] };

/**
 * What the monitor would tell, as rules over its own metrics and those of the APIs. Prometheus knows no binomial distribution:
 * there, two bad answers in the long window stand for it. Pure.
 */
export function alertRules({ probes, objectives }: Pick<MonitorSettings, 'probes' | 'objectives'>): RuleGroup[] {
  return [
    { name: 'atalaya-monitor', rules: [monitorGone] },
    { name: 'atalaya-targets', rules: probes.flatMap(targetRules) },
    ...objectives.map((objective) => ({ name: `atalaya-objective-${objective.name}`, rules: objectiveRules(objective) })),
  ];
}

const monitorGone: Rule = {
  alert: 'AtalayaMonitorGone',
  expr: 'absent(atalaya_monitor_self_ok) or atalaya_monitor_self_ok == 0',
  for: '2m',
  labels: { severity: 'page', target: 'monitor' },
  annotations: { summary: 'The monitor does not watch as it should, or not at all.' },
};

function targetRules({ name, kind, where, patience }: ProbeSettings): Rule[] {
  const status = (word: string): string => `atalaya_monitor_target_status{target="${name}",status="${word}"} == 1`;
  const described = { description: `${kind}: ${where}` };
  const page = { severity: 'page', target: name };
  return [
    { alert: 'AtalayaTargetDown', expr: status('down'), labels: page, annotations: { summary: `${name} is down.`, ...described } },
    {
      alert: 'AtalayaTargetUnknown',
      expr: status('unknown'),
      for: writeDuration(patience.unknownAfterMs),
      labels: page,
      annotations: { summary: `The monitor cannot tell how ${name} is.`, ...described },
    },
    ...(patience.warnAfterMs === Infinity
      ? []
      : [
          {
            alert: 'AtalayaTargetDegraded',
            expr: status('degraded'),
            for: writeDuration(patience.warnAfterMs),
            labels: { severity: 'ticket', target: name },
            annotations: { summary: `${name} has been degraded for ${showDuration(patience.warnAfterMs)}.`, ...described },
          },
        ]),
  ];
}

const requests = 'atalaya_http_request_duration_seconds';
/** Each worker's own series: those without the label are their sum. What a load test was answered counts for nobody. */
const counted = 'worker!="",load!="test",route!~"/(health_check|livez|readyz).*"';

const all = (window: string): string => `sum(increase(${requests}_count{${counted}}[${window}]))`;

function objectiveRules({ name, objective, slowerThanSeconds, dependsOn: _dependsOn }: MonitorSettings['objectives'][number]): Rule[] {
  const labels = { slo: name };
  const good =
    slowerThanSeconds === undefined
      ? (window: string): string => `sum(increase(${requests}_count{${counted},status!~"5.."}[${window}]))`
      : (window: string): string => `sum(increase(${requests}_bucket{${counted},status!~"5..",le="${slowerThanSeconds}"}[${window}]))`;
  const windows = [...new Set(burnRules.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))].toSorted((a, b) => a - b);
  const bad = (windowMs: number): string => `atalaya:slo_bad:increase${writeDuration(windowMs)}{slo="${name}"}`;
  const ratio = (windowMs: number): string => `atalaya:slo_bad:ratio${writeDuration(windowMs)}{slo="${name}"}`;
  const records = windows.flatMap((windowMs): Rule[] => {
    const window = writeDuration(windowMs);
    const badExpr = `${all(window)} - (${good(window)} or vector(0))`;
    return [
      { record: `atalaya:slo_bad:increase${window}`, expr: badExpr, labels },
      { record: `atalaya:slo_bad:ratio${window}`, expr: `(${badExpr}) / ${all(window)}`, labels },
    ];
  });
  const alerts = burnRules.map((rule): Rule => {
    const limit = Number((burnFactor(rule) * (1 - objective)).toPrecision(6));
    return {
      alert: 'AtalayaErrorBudgetBurns',
      expr: `${ratio(rule.longMs)} > ${limit} and ${ratio(rule.shortMs)} > ${limit} and ${bad(rule.longMs)} >= 2`,
      labels: { severity: rule.severity, target: name, window: writeDuration(rule.longMs) },
      annotations: { summary: `The error budget of ${name} burns ${burnFactor(rule)} times as fast as ${showDuration(periodMs)} allow.` },
    };
  });
  return [...records, ...alerts];
}
