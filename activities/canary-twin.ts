/**
 * Twins: copies of a variant under another id, so that they start with nothing cached.
 *
 * 1. A twin has its original's content and one field more. Whether one is a twin is told by the two contents, which the
 *    registry and the artifacts vouch for, and by nothing that anybody claims.
 * 2. The same order makes the same twin.
 */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import { hybridContentOf } from '../adapters/hybrid/variant.ts';
import { loadVariant } from '../adapters/lexical/variant.ts';
import type { CanaryActivities } from '../contracts/canary.ts';
import { failures, PawlError } from '../contracts/failures.ts';
import { canonicalJson } from '../domain/canonical-json.ts';

/** The origin of twins in the registry. */
export const TWIN = 'twin';

export interface TwinDeps {
  readonly control: Pick<ControlStore, 'variant' | 'addVariant'>;
  readonly artifacts: ArtifactStore;
  now(): number;
}

export const createTwinActivities = ({ control, artifacts, now }: TwinDeps): Pick<CanaryActivities, 'twinOf'> => ({
  // Safe to repeat: the same content is the same artifact and the same id, and what is registered stays as it was.
  async twinOf({ service, variant: id, cycle }) {
    const variant = await control.variant(id);
    if (variant?.service !== service) {
      throw new PawlError('NotFound', `${service} has no variant ${id} to make a copy of.`, {
        hint: '`pawl variant ls` lists those that it has.',
      });
    }
    // Read as the gateway reads it, so that no copy is made that cannot serve.
    const hybrid = hybridContentOf(id, await artifacts.getJson(variant.artifact));
    const content = hybrid ?? (await loadVariant(artifacts, variant));
    const artifact = await artifacts.putJson({ ...content, twin: cycle });
    const createdAt = new Date(now()).toISOString();
    await control.addVariant({ id: artifact.sha256, service, artifact, origin: TWIN, createdAt });
    return { variant: artifact.sha256 };
  },
});

export interface Registered {
  readonly control: Pick<ControlStore, 'variant'>;
  readonly artifacts: Pick<ArtifactStore, 'getJson'>;
}

/** Whether it is a twin of this original. What cannot be read is none; a store that does not answer is asked again. */
export const isTwin = async (deps: Registered, service: string, id: string, original: string): Promise<boolean> => {
  const twin = await contentOf(deps, service, id);
  if (typeof twin?.twin !== 'string') return false;
  const other = await contentOf(deps, service, original);
  return other !== null && untwinned(twin) === untwinned(other);
};

type Content = Readonly<Record<string, unknown>>;

const untwinned = ({ twin: _, ...rest }: Content): string => canonicalJson(rest);

const contentOf = async ({ control, artifacts }: Registered, service: string, id: string): Promise<Content | null> => {
  const variant = await control.variant(id);
  if (variant?.service !== service || variant.artifact.sha256 !== id) return null;
  try {
    const content = await artifacts.getJson(variant.artifact);
    return typeof content === 'object' && content !== null ? (content as Content) : null;
  } catch (error) {
    if (error instanceof PawlError && failures[error.type].retryable) throw error;
    return null;
  }
};
