/** All commands, in the order in which help shows them. */
import type { PawlCommand } from './command.ts';
import { cycleApprove } from './commands/cycle-approve.ts';
import { cycleResume, cycleSkip } from './commands/cycle-loosen.ts';
import { cycleLs } from './commands/cycle-ls.ts';
import { cycleShow } from './commands/cycle-show.ts';
import { cycleStart } from './commands/cycle-start.ts';
import { cycleAbort, cyclePause, cycleReject } from './commands/cycle-stop.ts';
import { cycleWatch } from './commands/cycle-watch.ts';
import { doctor } from './commands/doctor.ts';
import { goldSet } from './commands/gold-set.ts';
import { helpExitCodes } from './commands/help.ts';
import { init } from './commands/init.ts';
import { kill } from './commands/kill.ts';
import { pause } from './commands/pause.ts';
import { rearm } from './commands/rearm.ts';
import { resume } from './commands/resume.ts';
import { scheduleApply } from './commands/schedule-apply.ts';
import { scheduleLs } from './commands/schedule-ls.ts';
import { schedulePause, scheduleResume, scheduleTrigger } from './commands/schedule-steer.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { variantLs } from './commands/variant-ls.ts';
import { goldShow, variantShow } from './commands/variant-show.ts';
import { gateway, worker } from './commands/worker.ts';

/** What stands before a word of several commands. */
export const groups: Readonly<Record<string, string>> = {
  cycle: 'start cycles, look at them, decide about them',
  gold: 'the variant that a person vouched for',
  variant: 'what can serve',
  schedule: 'what starts cycles by itself',
  help: 'more about pawl',
};

export const commands: readonly PawlCommand[] = [
  up,
  doctor,
  init,
  status,
  cycleStart,
  cycleLs,
  cycleShow,
  cycleWatch,
  cycleApprove,
  cycleReject,
  cycleAbort,
  cyclePause,
  cycleResume,
  cycleSkip,
  pause,
  resume,
  kill,
  rearm,
  goldSet,
  goldShow,
  variantLs,
  variantShow,
  scheduleLs,
  scheduleApply,
  schedulePause,
  scheduleResume,
  scheduleTrigger,
  worker,
  gateway,
  helpExitCodes,
];
