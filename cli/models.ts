import type { ModelCache } from '../adapters/models/cache.ts';
import { PawlError } from '../contracts/failures.ts';
import type { ImportedModel, RegisteredModel } from '../contracts/model.ts';
import type { Context } from './context.ts';
import { findHome } from './home.ts';
import { short } from './text.ts';

const SHORTEST = 4;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** By name, or by the first characters of the digest where they are clear. */
const fitting = <M extends Named>(models: readonly M[], said: string): readonly M[] => {
  const named = models.filter(({ name }) => name === said);
  if (named.length > 0 || said.length < SHORTEST) return named;
  return models.filter(({ id }) => id.startsWith(said));
};

const onlyOne = <M extends Named>(models: readonly M[], said: string): M => {
  const [only, ...others] = models;
  if (only === undefined) {
    throw new PawlError('NotFound', `No model fits "${said}".`, {
      hint: '`pawl model ls` lists them; `pawl model import` brings one here.',
    });
  }
  if (others.length === 0) return only;
  throw new PawlError('Usage', `Several models fit "${said}": ${models.map(({ id }) => short(id)).join(', ')}.`, {
    hint: 'Say more characters of the digest.',
  });
};

/** A base model in the cache, as a person names it. */
export const importedModel = async (cache: ModelCache, said: string): Promise<ImportedModel> =>
  onlyOne(fitting((await cache.list()).models, said), said);

/** Of the home, where there is one with a store: the cache can be looked at from anywhere. */
export const registeredModels = async (context: Context): Promise<readonly RegisteredModel[]> => {
  const hasStore = findHome(context.homeSources) !== null && context.hasStore;
  return hasStore ? context.control.models({}) : [];
};

export type FoundModel =
  | { readonly kind: 'imported'; readonly model: ImportedModel }
  | { readonly kind: 'registered'; readonly model: RegisteredModel };

export const modelNamed = async (context: Context, said: string): Promise<FoundModel> => {
  const imported = fitting((await context.models.list()).models, said);
  const registered = fitting(await registeredModels(context), said);
  onlyOne<Named>([...imported, ...registered], said);
  const [model] = registered;
  return model === undefined ? { kind: 'imported', model: onlyOne(imported, said) } : { kind: 'registered', model };
};
