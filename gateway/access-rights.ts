/**
 * What the policies say to requests.
 *
 * 1. A question that was asked before is answered from memory for as long as the policies are the same. Whether they are
 *    is looked up once a second, so a change of them counts from then on.
 * 2. Policies that cannot be read or asked permit nothing, and that is never remembered.
 */
import type { CedarPolicy } from '../adapters/policy/cedar.ts';
import { decisionId } from '../adapters/policy/decision-id.ts';
import type { Caller } from '../contracts/access.ts';
import { FLEET } from '../contracts/ids.ts';
import { ENVIRONMENTS, type Environment } from '../contracts/plan.ts';
import type { Principal, RequestAction } from '../contracts/policy.ts';
import type { GatewayLogger } from './logger.ts';

const LOOK_EVERY_MS = 1_000;
const MOST_REMEMBERED = 10_000;

export interface Asked {
  readonly caller: Caller;
  readonly action: RequestAction;
  /** null where it is not known, or where it concerns all of them. */
  readonly service: string | null;
  /** Whose documents or keys it is about. */
  readonly tenant: string;
  readonly open: boolean;
  readonly local: boolean;
}
export interface Right {
  readonly allowed: boolean;
  /** A sentence that a client may read. */
  readonly because: string;
}

export interface RightsDeps {
  readonly policy: Pick<CedarPolicy, 'decide' | 'bundle'>;
  /** Of each service that is served. */
  readonly environments: ReadonlyMap<string, Environment>;
  readonly logger: GatewayLogger;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
}

export const createRights = (deps: RightsDeps): ((asked: Asked) => Promise<Right>) => {
  const { policy, environments, logger, clock = () => performance.now() } = deps;
  const remembered = new Map<string, Right>();
  let looked: { readonly at: number; readonly digest: Promise<string | null> } | null = null;
  let last: string | null = null;

  const look = async (): Promise<string | null> => {
    const digest = await policy.bundle().then(
      (bundle) => bundle.digest,
      (err) => {
        logger.error({ err }, 'the policies cannot be asked: every request that needs a right is refused');
        return null;
      },
    );
    if (digest !== last) remembered.clear();
    last = digest;
    return digest;
  };
  const digestNow = (): Promise<string | null> => {
    const at = clock();
    if (looked === null || at - looked.at >= LOOK_EVERY_MS) looked = { at, digest: look() };
    return looked.digest;
  };

  const [only, ...others] = environments.keys();
  const strictest = ENVIRONMENTS.findLast((one) => [...environments.values()].includes(one)) ?? null;
  const about = (named: string | null): { service: string; environment: Environment | null } => {
    const service = named ?? (others.length === 0 ? only : undefined) ?? FLEET;
    return { service, environment: environments.get(service) ?? strictest };
  };

  return async ({ caller, action, service, ...context }) => {
    const digest = await digestNow();
    if (digest === null) return UNKNOWN;
    const question = { action, principal: principalOf(caller), ...about(service), context };
    const key = JSON.stringify(question);
    const found = remembered.get(key);
    if (found) return found;
    const decision = await policy.decide({ ...question, id: decisionId(key) });
    const right = { allowed: decision.allowed, because: decision.because };
    // What is neither permitted nor forbidden by a policy, nor merely not provided for, went wrong.
    if (decision.policies.length === 0 && !decision.because.startsWith('nothing ')) {
      logger.error({ action, because: decision.because }, 'a request could not be decided, and is refused');
      return UNKNOWN;
    }
    if (decision.bundle === last) {
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      remembered.set(key, right);
    }
    return right;
  };
};

const UNKNOWN: Right = { allowed: false, because: 'the policies cannot be asked now' };

const principalOf = ({ key, role, tenant }: Caller): Principal =>
  key === null ? { kind: 'visitor', name: 'anyone' } : { kind: 'key', name: key, role, tenant };
