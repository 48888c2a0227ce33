/** The workflows of the bundle; a type's name is wire format. */
export { abEvaluation } from './ab-evaluation.ts';
export { canaryPromotion } from './canary-promotion.ts';
export { guardian } from './guardian.ts';
export { improvementCycle } from './improvement-cycle.ts';
export { killSwitch } from './kill-switch.ts';
export { loraFineTune } from './lora-fine-tune.ts';
export { promotionWatch } from './promotion-watch.ts';
export { remediation } from './remediation.ts';
export { trigger } from './trigger.ts';
