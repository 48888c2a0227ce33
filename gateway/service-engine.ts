/** The engines of a service as one: each variant is served by the engine of its kind, all from the same documents. */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import { hybridContentOf } from '../adapters/hybrid/variant.ts';
import { PawlError } from '../contracts/failures.ts';
import type { HybridEngine } from './hybrid-engine.ts';
import type { LexicalEngine } from './lexical-engine.ts';
import type { SearchEngine } from './search-engine.ts';

export interface ServiceEngineDeps {
  readonly service: string;
  readonly control: Pick<ControlStore, 'variant'>;
  readonly artifacts: Pick<ArtifactStore, 'getJson'>;
  readonly lexical: LexicalEngine;
  readonly hybrid: HybridEngine;
}

export const createServiceEngine = ({
  service,
  control,
  artifacts,
  lexical,
  hybrid,
}: ServiceEngineDeps): SearchEngine => ({
  load: async (id) => {
    const variant = await control.variant(id);
    if (variant?.service !== service) throw new PawlError('NotFound', `${service} has no variant ${id}`);
    const content = hybridContentOf(id, await artifacts.getJson(variant.artifact));
    if (!content) return lexical.load(variant);
    if (variant.artifact.sha256 === id && content.service === service) return hybrid.load(content);
    throw new PawlError('DigestMismatch', `Variant ${id} is not what its id says, or was made for ${content.service}`, {
      hint: 'The registry was changed by hand. Put another variant in its place; this one cannot be trusted.',
    });
  },

  index: () => {
    const whole = lexical.index();
    const parts = hybrid.index();
    const worse = whole.state === 'ready' && parts.state !== 'ready' ? parts : whole;
    return { ...worse, corpus: whole.corpus, documents: Math.max(whole.documents, parts.documents) };
  },

  // The corpus file is looked at by the first, so that the second finds in the store what the file brought.
  renew: async () => {
    await lexical.renew();
    await hybrid.renew();
  },

  close: async () => {
    await Promise.all([lexical.close(), hybrid.close()]);
  },
});
