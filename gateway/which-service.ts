import { PawlError } from '../contracts/failures.ts';

/** The one that is named; where there is one only, it need not be. */
export const whichOf = <T>(services: ReadonlyMap<string, T>, name: string | undefined): T => {
  const hint = `This gateway serves: ${[...services.keys()].join(', ') || 'nothing'}.`;
  const [only, ...others] = services.values();
  const found = name === undefined && others.length === 0 ? only : services.get(name ?? '');
  if (found !== undefined) return found;
  if (name === undefined && only !== undefined)
    throw new PawlError('Usage', 'Say which service, with ?service=', { hint });
  throw new PawlError('NotFound', `There is no service ${JSON.stringify(name ?? '')}`, { hint });
};
