/** All commands, in the order in which help shows them. */
import type { PawlCommand } from './command.ts';
import { abPromote, abResume } from './commands/ab-loosen.ts';
import { abPlan } from './commands/ab-plan.ts';
import { abShow, abWatch } from './commands/ab-show.ts';
import { abAbort, abLook, abPause, abReject } from './commands/ab-steer.ts';
import { approve } from './commands/approve.ts';
import { auditAt } from './commands/audit-at.ts';
import { auditExport } from './commands/audit-export.ts';
import { auditProve } from './commands/audit-prove.ts';
import { auditShow } from './commands/audit-show.ts';
import { auditVerify } from './commands/audit-verify.ts';
import { backup } from './commands/backup.ts';
import { canaryPromote, canaryResume, canaryRetry, canarySkip } from './commands/canary-loosen.ts';
import { canaryShow, canaryWatch } from './commands/canary-show.ts';
import { canaryAbort, canaryPause, canaryUndo } from './commands/canary-stop.ts';
import { check } from './commands/check.ts';
import { cycleResume, cycleSkip } from './commands/cycle-loosen.ts';
import { cycleLs } from './commands/cycle-ls.ts';
import { cycleReplay } from './commands/cycle-replay.ts';
import { cycleShow } from './commands/cycle-show.ts';
import { cycleStart } from './commands/cycle-start.ts';
import { cycleAbort, cyclePause, reject } from './commands/cycle-stop.ts';
import { cycleWatch } from './commands/cycle-watch.ts';
import { doctor } from './commands/doctor.ts';
import { drillCrash } from './commands/drill-crash.ts';
import { drillMatrix } from './commands/drill-matrix.ts';
import { drillRun } from './commands/drill-run.ts';
import { erase } from './commands/erase.ts';
import { evidenceShow, evidenceVerify } from './commands/evidence.ts';
import { fixLs } from './commands/fix-ls.ts';
import { fixAbort, fixShow } from './commands/fix-show.ts';
import { fixStart } from './commands/fix-start.ts';
import { gc } from './commands/gc.ts';
import { goldSet } from './commands/gold-set.ts';
import { helpExitCodes } from './commands/help.ts';
import { inbox } from './commands/inbox.ts';
import { indexAdd, indexExport, indexImport } from './commands/index-add.ts';
import { indexLs, indexRebuild } from './commands/index-ls.ts';
import { init } from './commands/init.ts';
import { judgeCoverage } from './commands/judge-coverage.ts';
import { judgeExport } from './commands/judge-export.ts';
import { judgeImport } from './commands/judge-import.ts';
import { keyRevoke, keyRotate } from './commands/key-change.ts';
import { keyCreate } from './commands/key-create.ts';
import { keyInvite } from './commands/key-invite.ts';
import { keyLs } from './commands/key-ls.ts';
import { kill } from './commands/kill.ts';
import { loraExport } from './commands/lora-export.ts';
import { loraLs } from './commands/lora-ls.ts';
import { loraShow, loraWatch } from './commands/lora-show.ts';
import { loraStart } from './commands/lora-start.ts';
import { loraCheckpoint, loraExtend } from './commands/lora-steer.ts';
import { loraAbort, loraResume } from './commands/lora-stop.ts';
import { modelImport } from './commands/model-import.ts';
import { modelLs } from './commands/model-ls.ts';
import { modelQuantize } from './commands/model-quantize.ts';
import { modelShow } from './commands/model-show.ts';
import { pause } from './commands/pause.ts';
import { peopleAdd } from './commands/people-add.ts';
import { peopleKey } from './commands/people-key.ts';
import { peopleLs } from './commands/people-ls.ts';
import { peoplePassphrase } from './commands/people-passphrase.ts';
import { peopleRevoke } from './commands/people-revoke.ts';
import { policyExplain } from './commands/policy-explain.ts';
import { policyLs } from './commands/policy-ls.ts';
import { policyTest } from './commands/policy-test.ts';
import { rearm } from './commands/rearm.ts';
import { restore } from './commands/restore.ts';
import { resume } from './commands/resume.ts';
import { scheduleApply } from './commands/schedule-apply.ts';
import { scheduleLs } from './commands/schedule-ls.ts';
import { schedulePause, scheduleResume, scheduleTrigger } from './commands/schedule-steer.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { variantCreate } from './commands/variant-create.ts';
import { variantLs } from './commands/variant-ls.ts';
import { goldShow, variantShow } from './commands/variant-show.ts';
import { gateway, worker } from './commands/worker.ts';

/** What stands before a word of several commands. */
export const groups: Readonly<Record<string, string>> = {
  cycle: 'start cycles, look at them, decide about them',
  ab: 'challenger against champion on live subjects',
  canary: 'a challenger that gets traffic step by step',
  fix: 'what mends a service that breaks, and the way back',
  evidence: 'what cycles left behind, and whether it is as it was',
  gold: 'the variant that a person vouched for',
  variant: 'what can serve',
  index: 'the documents of a service, and the indexes over them',
  model: 'base models, and what was trained on them',
  lora: 'train adapters on a base model',
  judge: 'what people say is relevant, and how much of what is asked they have judged',
  policy: 'who may do what, and why',
  people: 'whose signature counts, and as what',
  key: 'API keys of the gateway',
  audit: 'the ledger: what happened, who decided, and the proof',
  schedule: 'what starts cycles by itself',
  drill: 'trials of Pawl itself, on a home of their own',
  help: 'more about pawl',
};

export const commands: readonly PawlCommand[] = [
  up,
  doctor,
  check,
  init,
  status,
  inbox,
  approve,
  reject,
  cycleStart,
  cycleLs,
  cycleShow,
  cycleWatch,
  cycleReplay,
  cycleAbort,
  cyclePause,
  cycleResume,
  cycleSkip,
  abPlan,
  abShow,
  abWatch,
  abLook,
  abPause,
  abResume,
  abPromote,
  abReject,
  abAbort,
  canaryShow,
  canaryWatch,
  canaryPromote,
  canarySkip,
  canaryPause,
  canaryResume,
  canaryAbort,
  canaryRetry,
  canaryUndo,
  fixLs,
  fixStart,
  fixShow,
  fixAbort,
  pause,
  resume,
  kill,
  rearm,
  evidenceShow,
  evidenceVerify,
  goldSet,
  goldShow,
  policyLs,
  policyTest,
  policyExplain,
  peopleLs,
  peopleAdd,
  peopleKey,
  peoplePassphrase,
  peopleRevoke,
  keyLs,
  keyCreate,
  keyInvite,
  keyRotate,
  keyRevoke,
  variantLs,
  variantCreate,
  variantShow,
  indexAdd,
  indexLs,
  indexRebuild,
  indexExport,
  indexImport,
  modelLs,
  modelShow,
  modelImport,
  modelQuantize,
  loraStart,
  loraLs,
  loraShow,
  loraWatch,
  loraExtend,
  loraCheckpoint,
  loraAbort,
  loraResume,
  loraExport,
  judgeImport,
  judgeExport,
  judgeCoverage,
  auditShow,
  auditAt,
  auditVerify,
  auditProve,
  auditExport,
  scheduleLs,
  scheduleApply,
  schedulePause,
  scheduleResume,
  scheduleTrigger,
  backup,
  restore,
  gc,
  erase,
  drillCrash,
  drillMatrix,
  drillRun,
  worker,
  gateway,
  helpExitCodes,
];
