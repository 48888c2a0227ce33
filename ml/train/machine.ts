/** What decides the last bits of a sum: two machines that agree in all of it train bit for bit alike. */
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { env } from 'onnxruntime-node';
import { z } from 'zod';

export const Machine = z.object({
  onnxruntime: z.string(),
  arch: z.string(),
  /** Instruction sets that ONNX Runtime chooses its kernels by. */
  features: z.string(),
  threads: z.number(),
});
export type Machine = z.infer<typeof Machine>;

const KERNELS = /^(sse4|avx|fma|f16c|amx|asimd|sve|sme|i8mm|bf16|dotprod)/;

export const thisMachine = (threads: number): Machine => ({
  onnxruntime: env.versions.node ?? env.versions.common,
  arch: arch(),
  features: featuresOf(existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : ''),
  threads,
});

const featuresOf = (cpuinfo: string): string => {
  const [, flags] = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo) ?? [];
  // Where the system does not list them, the processor's name stands for them.
  if (flags === undefined) return cpus()[0]?.model ?? 'unknown';
  return flags
    .split(' ')
    .filter((flag) => KERNELS.test(flag))
    .toSorted()
    .join(' ');
};

const WORDS: Readonly<Record<keyof Machine, string>> = {
  onnxruntime: 'ONNX Runtime',
  arch: 'the architecture',
  features: 'the CPU features',
  threads: 'the number of threads',
};

/** A sentence for each difference; with any, a resumed run may part from an unbroken one in the last bits. */
export const differences = (then: Machine, now: Machine): string[] =>
  (Object.keys(WORDS) as (keyof Machine)[])
    .filter((what) => then[what] !== now[what])
    .map((what) => `${WORDS[what]} was ${then[what]} and is ${now[what]} now, so the last bits may differ`);
