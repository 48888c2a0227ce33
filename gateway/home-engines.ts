/** What the services of a home answer with. */
import { availableParallelism } from 'node:os';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import { type DocumentsPlace, documentsAt } from '../adapters/documents/of-environment.ts';
import type { DocumentStore } from '../adapters/documents/port.ts';
import type { ModelCache } from '../adapters/models/cache.ts';
import { encoderSource } from '../adapters/models/encoder-source.ts';
import type { ChunkIndexes } from '../adapters/retrieval/port.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { createCorpusFile } from './corpus-file.ts';
import { createEncoders } from './encoders.ts';
import { createHybridEngine } from './hybrid-engine.ts';
import { createLexicalEngine } from './lexical-engine.ts';
import type { GatewayService } from './served-service.ts';
import { createServiceDocuments } from './service-documents.ts';
import { createServiceEngine } from './service-engine.ts';

export interface HomeEnginesDeps {
  readonly configs: readonly Pick<ServiceConfig, 'service' | 'cpuHour' | 'data'>[];
  /** Where the documents of a service are. */
  readonly documentsOf: (service: string) => DocumentsPlace;
  readonly indexes: ChunkIndexes;
  readonly indexFolder: string;
  readonly control: Pick<ControlStore, 'variant' | 'model'>;
  readonly artifacts: ArtifactStore;
  readonly models: Pick<ModelCache, 'open'>;
}

export interface HomeEngines {
  readonly services: readonly GatewayService[];
  readonly documents: ReadonlyMap<string, DocumentStore>;
  /** After the gateway, whose services it closes. */
  close(): Promise<void>;
}

export const openEngines = (deps: HomeEnginesDeps): HomeEngines => {
  const { configs, documentsOf, control, artifacts, models, indexFolder, indexes } = deps;
  const encoders = createEncoders({
    source: encoderSource({ control, artifacts, cache: models }),
    // What is indexed takes its time, and leaves the other processors to those who ask.
    threads: { question: availableParallelism(), documents: 1 },
  });
  const documents = new Map<string, DocumentStore>();
  const services = configs.map(({ service, cpuHour, data }) => {
    const place = documentsOf(service);
    const store = documentsAt(place);
    documents.set(service, store);
    const corpus = createServiceDocuments({ file: createCorpusFile(data.corpus), store, place });
    const engine = createServiceEngine({
      ...{ service, control, artifacts },
      lexical: createLexicalEngine({ service, corpus, indexFolder, artifacts }),
      hybrid: createHybridEngine({ service, documents: store, indexes, encoders, artifacts }),
    });
    return { service, cpuHour, engine };
  });
  return {
    services,
    documents,
    close: async () => {
      await encoders.close();
      for (const store of documents.values()) store.close();
    },
  };
};
