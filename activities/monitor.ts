import type { MonitorResult, StageActivities, StageInput } from '../contracts/stages.ts';
import type { GateFinding, Vitals } from '../contracts/vitals.ts';
import { judgeGate } from '../domain/gate.ts';
import type { StageDeps } from './stage-deps.ts';

export const createMonitorActivities = (deps: StageDeps): Pick<StageActivities, 'findBreach'> => ({
  // Safe to repeat: it reads, and leaves evidence under its own digest; a later look may find something newer.
  async findBreach({ service, champion, cycle, stage, plan }: StageInput): Promise<MonitorResult> {
    const to = deps.now();
    const baseline = await deps.control.baseline(service, champion);
    const windows = [...new Set(plan.gates.map(({ windowMs }) => windowMs))];
    const readings = new Map<number, Vitals>();
    for (const windowMs of windows) {
      readings.set(windowMs, await deps.vitals.read({ service, variant: champion, from: to - windowMs, to }));
    }
    const findings = plan.gates.flatMap((gate): GateFinding[] => {
      const vitals = readings.get(gate.windowMs);
      return vitals === undefined ? [] : [judgeGate(gate, vitals, baseline)];
    });
    const evidence = await deps.artifacts.putJson({
      stage,
      service,
      cycle,
      champion,
      gates: plan.gates,
      vitals: [...readings.values()],
      baseline,
      findings,
    });
    return { findings, evidence, summary: told(findings) };
  },
});

function told(findings: readonly GateFinding[]): string {
  const because = (state: GateFinding['state']) => findings.filter((f) => f.state === state).map((f) => f.because);
  const breaches = because('breach');
  if (breaches.length > 0) return `Breach: ${breaches.join('; ')}.`;
  if (findings.length === 0) return 'No gate is set, so there is nothing to find.';
  const blind = because('no data');
  const passed = `${findings.length - blind.length} of ${findings.length} gates pass`;
  return blind.length === 0 ? `${passed}.` : `${passed}; no data for the others (${blind.join('; ')}).`;
}
