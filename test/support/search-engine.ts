/** The engine of a service as the gateway opens it, in a folder of the test's own. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ArtifactStore } from '../../adapters/artifacts/port.ts';
import type { DocumentStore } from '../../adapters/documents/port.ts';
import type { ModelCache } from '../../adapters/models/cache.ts';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import { type HomeEnginesDeps, openEngines } from '../../gateway/home-engines.ts';
import type { SearchEngine } from '../../gateway/search-engine.ts';

export interface TestEngineDeps {
  readonly folder: string;
  /** Path of the corpus file. */
  readonly corpus: string;
  readonly artifacts: ArtifactStore;
  readonly variant: HomeEnginesDeps['control']['variant'];
  readonly model?: HomeEnginesDeps['control']['model'];
  readonly models?: Pick<ModelCache, 'open'>;
}

export interface TestEngine {
  readonly engine: SearchEngine;
  readonly documents: DocumentStore;
  close(): Promise<void>;
}

export const openTestEngine = ({ folder, corpus, artifacts, variant, ...over }: TestEngineDeps): TestEngine => {
  const none = (what: string) => async (id: string) => {
    throw new Error(`this test has no ${what} ${id}`);
  };
  const { models = { open: none('base model') }, model = none('model') } = over;
  const { services, documents, close } = openEngines({
    ...{ artifacts, models, control: { variant, model }, indexFolder: join(folder, 'indexes') },
    configs: [{ service: 'docs', cpuHour: 1, data: { corpus, queries: '', judgements: { train: '', test: '' } } }],
    documentsOf: (service) => ({ path: join(folder, 'documents', `${service}.db`) }),
    indexes: embeddedIndexes(join(folder, 'retrieval')),
  });
  const [service] = services;
  const store = documents.get('docs');
  if (!service || !store) throw new Error('one service was asked for');
  let closed: Promise<void> | null = null;
  const closing = () => {
    closed ??= service.engine.close().then(close);
    return closed;
  };
  onTestFinished(closing);
  return { engine: service.engine, documents: store, close: closing };
};
