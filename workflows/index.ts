/** The workflows of the bundle; a type's name is wire format. */
export { guardian } from './guardian.ts';
export { improvementCycle } from './improvement-cycle.ts';
export { killSwitch } from './kill-switch.ts';
export { loraFineTune } from './lora-fine-tune.ts';
export { trigger } from './trigger.ts';
