import type { ControlStore } from '../adapters/control/port.ts';
import { PawlError } from '../contracts/failures.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import type { Variant } from '../contracts/variant.ts';
import { NOTHING, percent } from './text.ts';

const SHORTEST = 4;

/** `champion`, `gold`, or the digest of a variant, of which a few characters are enough where they are clear. */
export const variantOf = async (control: ControlStore, state: ServiceState, said: string): Promise<Variant> => {
  const alias = said === 'champion' || said === 'gold' ? state[said] : said;
  const known = await control.variants(state.service);
  const fitting = alias === null || alias.length < SHORTEST ? [] : known.filter(({ id }) => id.startsWith(alias));
  const [only, ...others] = fitting;
  if (only === undefined || others.length > 0) {
    throw new PawlError(
      only ? 'Usage' : 'NotFound',
      `${only ? 'Several variants' : 'No variant'} of ${state.service} ${only ? 'fit' : 'fits'} "${said}".`,
      { hint: `\`pawl variant ls ${state.service}\` lists them.` },
    );
  }
  return only;
};

export const stateOf = async (control: ControlStore, service: string): Promise<ServiceState> => {
  const state = await control.state(service);
  if (state) return state;
  throw new PawlError('NotFound', `The store does not know ${service}.`, {
    hint: `\`pawl init --service ${service}\` registers it.`,
  });
};

/** What a variant is to its service now. */
export const rolesOf = ({ champion, gold, arms }: ServiceState, id: string): string => {
  const share = arms.find(({ variant }) => variant === id)?.share ?? 0;
  const roles = [
    ...(id === champion ? ['champion'] : []),
    ...(id === gold ? ['gold'] : []),
    ...(share > 0 ? [`serves ${percent(share)}`] : []),
  ];
  return roles.join(', ') || NOTHING;
};
