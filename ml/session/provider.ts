/** Where a session computes, and what to do when that cannot be had on this machine. */
import { PawlError } from '../../contracts/failures.ts';

export const PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What a person does to have a provider; docs/guide/models.md says the same at more length. */
const ENABLE: Readonly<Record<Provider, string>> = {
  cpu: 'It is part of onnxruntime-node: run `npm ci` again on this machine.',
  cuda: 'It needs Linux on x64, an NVIDIA driver, CUDA 12 with cuDNN 9, and the provider, which is not part of the package: run `npm rebuild onnxruntime-node --ignore-scripts=false --foreground-scripts`.',
  webgpu:
    'It needs a graphics driver with Vulkan (Linux: libvulkan1 and the maker’s driver), Metal or Direct3D 12; `vulkaninfo --summary` shows what there is.',
};

export const unavailable = (provider: Provider, device: number, cause: unknown): PawlError =>
  new PawlError('SetupFailed', `${provider}:${device} cannot be used on this machine: ${firstLine(cause)}`, {
    hint: `${ENABLE[provider]} Or compute on the CPU: PAWL_DEVICES=cpu:0. docs/guide/models.md has all of it.`,
    cause,
  });

/** ONNX Runtime's messages go on with source files and stack frames of its own build. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 300) ?? '';
