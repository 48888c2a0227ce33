/** adapter_config.json, as PEFT reads and writes it. What Pawl does not do is refused by name, never passed over. */
import { z } from 'zod';
import type { LoraComponent, LoraConfig } from '../../contracts/lora.ts';
import { oneOf } from '../encoder/json-file.ts';
import { POOLER } from '../encoder/weights.ts';
import { ALL_LINEAR, ALL_LINEAR_PATTERN, matcher } from './targets.ts';

const names = z.union([z.string(), z.array(z.string())]);
const numbers = z.record(z.string(), z.number());

/** Ways of PEFT that change what its tensors mean. Set to anything, they make another adapter of the same numbers. */
const ELSEWHERE = [
  ...['alora_invocation_tokens', 'arrow_config', 'kasa_config', 'layer_replication', 'layers_to_transform'],
  ...['lora_bias', 'monteclora_config', 'target_parameters', 'trainable_token_indices', 'use_bdlora', 'use_qalora'],
  ...['velora_config', 'fan_in_fan_out'],
] as const;

export const PeftConfig = z
  .looseObject({
    peft_type: oneOf(['LORA']),
    task_type: z.string().nullish(),
    base_model_name_or_path: z.string().nullish(),
    r: z.int().positive(),
    lora_alpha: z.number(),
    lora_dropout: z.number().min(0).lt(1).default(0),
    target_modules: names,
    exclude_modules: names.nullish(),
    rank_pattern: numbers.nullish(),
    alpha_pattern: numbers.nullish(),
    use_rslora: z.boolean().default(false),
    use_dora: z.boolean().default(false),
    bias: oneOf(['none']).default('none'),
    /** Others change the base's weights too, and fit no unchanged base. */
    init_lora_weights: z.union([z.boolean(), oneOf(['gaussian'])]).default(true),
  })
  .superRefine((config, context) => {
    for (const key of ELSEWHERE) {
      const value = config[key];
      const unset = value === undefined || value === null || value === false;
      if (!unset)
        context.addIssue({ code: 'custom', path: [key], message: `${JSON.stringify(value)} is not supported` });
    }
  });
export type PeftConfig = z.infer<typeof PeftConfig>;

export function loraConfigOf(peft: PeftConfig): LoraConfig {
  return {
    rank: peft.r,
    alpha: peft.lora_alpha,
    dropout: peft.lora_dropout,
    targets: peft.target_modules,
    ...(peft.exclude_modules ? { exclude: peft.exclude_modules } : {}),
    ...(isEmpty(peft.rank_pattern) ? {} : { rankPattern: peft.rank_pattern as Record<string, number> }),
    ...(isEmpty(peft.alpha_pattern) ? {} : { alphaPattern: peft.alpha_pattern as Record<string, number> }),
    ...(peft.use_rslora ? { rankStabilised: true } : {}),
    ...(peft.use_dora ? { decomposed: true } : {}),
  };
}

const isEmpty = (pattern: object | null | undefined): boolean => Object.keys(pattern ?? {}).length === 0;

/** `head`: the modules that are trained whole. */
export function peftConfigOf(config: LoraConfig, component: LoraComponent, head: readonly string[], base: string) {
  const { rank, alpha, dropout, targets, rankPattern = {}, alphaPattern = {} } = config;
  return {
    peft_type: 'LORA',
    task_type: component === 'reranker' ? 'SEQ_CLS' : null,
    auto_mapping: null,
    base_model_name_or_path: base,
    revision: null,
    inference_mode: true,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: targets === ALL_LINEAR ? ALL_LINEAR_PATTERN : targets,
    exclude_modules: excluded(config, head.length > 0 ? head : [POOLER]),
    rank_pattern: rankPattern,
    alpha_pattern: alphaPattern,
    use_rslora: config.rankStabilised ?? false,
    use_dora: config.decomposed ?? false,
    modules_to_save: head.length > 0 ? head.map((module) => module.replace(/\.dense$/, '')) : null,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
  };
}

/** PEFT would lay an adapter over the pooler, for an ending such as `dense`; ours has none there. */
const excluded = ({ targets, exclude }: LoraConfig, others: readonly string[]): LoraConfig['exclude'] | null => {
  const meant = others.includes(POOLER) && [POOLER, `bert.${POOLER}`].some(matcher('targets', targets));
  if (!meant) return exclude ?? null;
  if (exclude === undefined || Array.isArray(exclude)) return [...(exclude ?? []), POOLER];
  return `(?:${exclude})|(?:.*\\.)?${POOLER.replace('.', '\\.')}`;
};
