/**
 * Names that are wire format: workflow ids, cycle ids, digests. They are permanent; a new form gets a new function.
 */

/** A service's name: a DNS label, so that it can be part of ids, metrics labels and Kubernetes names as it is. */
export const SERVICE_NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

export const guardianId = (service: string): string => `pawl:${service}`;
export const triggerId = (service: string, n: string): string => `pawl:${service}:trigger:${n}`;
export const cycleWorkflowId = (service: string, cycle: string): string => `pawl:${service}:cycle:${cycle}`;
/** Whose workflow it is; null for an id of another kind. */
export const ofCycleWorkflow = (workflowId: string): { service: string; cycle: string } | null => {
  const [, service, cycle] = /^pawl:([^:]+):cycle:([^:]+)$/.exec(workflowId) ?? [];
  return service && cycle ? { service, cycle } : null;
};
export const loraWorkflowId = (service: string, id: string): string => `pawl:${service}:lora:${id}`;
/** The processes that try a challenger in live traffic for a cycle, and that look after it once it was promoted. */
export const abWorkflowId = (service: string, cycle: string): string => `pawl:${service}:ab:${cycle}`;
export const canaryWorkflowId = (service: string, cycle: string): string => `pawl:${service}:canary:${cycle}`;
/** Whose trial it is; null for an id of another kind. */
export const ofTrialWorkflow = (workflowId: string): { service: string; cycle: string } | null => {
  const [, service, cycle] = /^pawl:([^:]+):(?:ab|canary):([^:]+)$/.exec(workflowId) ?? [];
  return service && cycle ? { service, cycle } : null;
};
export const watchWorkflowId = (service: string, cycle: string): string => `pawl:${service}:watch:${cycle}`;
export const fixWorkflowId = (service: string, fix: string): string => `pawl:${service}:fix:${fix}`;
/** Whose workflow it is; null for an id of another kind. */
export const ofFixWorkflow = (workflowId: string): { service: string; fix: string } | null => {
  const [, service, fix] = /^pawl:([^:]+):fix:([^:]+)$/.exec(workflowId) ?? [];
  return service && fix ? { service, fix } : null;
};
export const scheduleId = (service: string, name: string): string => `pawl:${service}:schedule:${name}`;
/** The service under which stands what concerns all of them. */
export const FLEET = '*';
export const KILL_SWITCH_ID = 'pawl:kill-switch';

/** `si_2026_11_21_003`: the third cycle that the service's guardian admitted on that day (UTC). */
export const cycleId = (day: string, n: number): string =>
  `si_${day.replaceAll('-', '_')}_${String(n).padStart(3, '0')}`;
export const CYCLE_ID = /^si_\d{4}_\d{2}_\d{2}_\d{3,}$/;
/** `fx_2026_11_21_003`: the third remediation of that day. It stands where a cycle's id stands: in the lane, in ledger rows. */
export const fixId = (day: string, n: number): string => `fx_${day.replaceAll('-', '_')}_${String(n).padStart(3, '0')}`;
export const FIX_ID = /^fx_\d{4}_\d{2}_\d{2}_\d{3,}$/;

/** `2026-11-21` of a moment in milliseconds since the epoch. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
