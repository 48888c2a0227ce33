/** What commands work with: each part is made when it is first asked for, and closed at the end. */
import { existsSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import { artifactsOf } from '../adapters/artifacts/of-environment.ts';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { controlOf, placeOfControl } from '../adapters/control/of-environment.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import { documentsAt, documentsPlace } from '../adapters/documents/of-environment.ts';
import type { DocumentStore } from '../adapters/documents/port.ts';
import { feedbackOf } from '../adapters/feedback/of-environment.ts';
import type { FeedbackStore } from '../adapters/feedback/port.ts';
import { type HomePaths, homePaths } from '../adapters/home.ts';
import type { ModelCache } from '../adapters/models/cache.ts';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { type CedarPolicy, cedarPolicy } from '../adapters/policy/cedar.ts';
import { queryLogOf } from '../adapters/query-log/of-environment.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import { findServices, serviceNamed } from '../adapters/service/config.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { PawlError } from '../contracts/failures.ts';
import type { Environment } from '../infra/setup/environment.ts';
import type { Temporal } from '../infra/temporal/connect.ts';
import { type HomeSources, needHome } from './home.ts';
import type { Output } from './output.ts';

/** How long a person waits for an answer before the command says that none came. */
const PATIENCE_MS = 20_000;

export class Context {
  readonly out: Output;
  readonly homeSources: HomeSources;
  readonly #environment: Environment;
  #home: string | null = null;
  #temporal: Promise<Temporal> | null = null;
  #control: ControlStore | null = null;
  readonly #documents = new Map<string, DocumentStore>();
  #policy: CedarPolicy | null = null;
  #artifacts: ArtifactStore | null = null;

  constructor(parts: { environment: Environment; out: Output; homeSources: HomeSources }) {
    this.#environment = parts.environment;
    this.out = parts.out;
    this.homeSources = parts.homeSources;
  }

  get home(): string {
    if (this.#home === null) {
      const { folder, notice } = needHome(this.homeSources);
      this.#home = folder;
      if (notice !== null) this.out.note(notice);
    }
    return this.#home;
  }

  /** The process's environment, as seen from this home. */
  get environment(): Environment {
    return { ...this.#environment, home: this.home, state: this.paths.state };
  }

  get paths(): HomePaths {
    return homePaths(this.home);
  }

  get artifacts(): ArtifactStore {
    this.#artifacts ??= artifactsOf(this.#environment, this.paths.artifacts);
    return this.#artifacts;
  }

  /** Commands that work on the files of artifacts ask first: in a bucket there are none. */
  needArtifactFiles(command: string): void {
    const bucket = this.#environment.artifacts?.location.bucket;
    if (bucket === undefined) return;
    throw new PawlError(
      'Refused',
      `\`pawl ${command}\` works on a folder of artifacts, and these lie in the bucket ${bucket}.`,
      {
        hint: "Nothing was done. Use the means of the bucket's server (versions, copies, removal by key) and those of the home's other stores.",
      },
    );
  }

  /** A shared store is there for everybody: whether the server has it, the first question tells. */
  get hasStore(): boolean {
    return this.sharesStore || existsSync(this.paths.control);
  }

  get sharesStore(): boolean {
    return this.#environment.store !== null;
  }

  /** What was served, and told about it. Looking at a home makes no file: null where there is none. */
  openLog(): { readonly queryLog: QueryLog; readonly feedback: FeedbackStore; close(): void } | null {
    if (!this.sharesStore && !existsSync(this.paths.metrics)) return null;
    const [queryLog, feedback] = [queryLogOf(this.environment), feedbackOf(this.environment)];
    return {
      queryLog,
      feedback,
      close: () => {
        feedback.close();
        queryLog.close();
      },
    };
  }

  get storePlace(): string {
    return placeOfControl(this.environment);
  }

  /** Commands that work on the store's own file ask first: a shared store has none. */
  needStoreFile(command: string): void {
    if (this.#environment.store === null) return;
    throw new PawlError(
      'Refused',
      `\`pawl ${command}\` works on a store in a file of the home, and this one is in ${this.storePlace}.`,
      { hint: 'Nothing was done. docs/guide/stores.md says what takes its place: `pg_dump`, `pawl audit verify`.' },
    );
  }

  /** Needs no home: base models belong to the user. */
  get models(): ModelCache {
    return modelCacheOf(this.#environment);
  }

  get policy(): CedarPolicy {
    this.#policy ??= cedarPolicy({ home: this.home });
    return this.#policy;
  }

  /** `init` decides for itself where the home is. */
  useHome(folder: string): void {
    this.#home = folder;
    this.#artifacts = null;
  }

  /** The store as it is; looking at a home must not create one. */
  get control(): ControlStore {
    if (!this.hasStore && this.#control === null) {
      throw new PawlError('NotFound', `There is no store at ${this.storePlace}.`, {
        hint: '`pawl init` makes it and registers the service.',
      });
    }
    return this.openControl();
  }

  /** The documents of one service. */
  documents(service: string): DocumentStore {
    const store = this.#documents.get(service) ?? documentsAt(documentsPlace(this.environment, service));
    this.#documents.set(service, store);
    return store;
  }

  openControl(): ControlStore {
    this.#control ??= controlOf(this.environment);
    return this.#control;
  }

  /** Loaded when it is needed: it would otherwise be most of what a small command takes. 0: one try, no waiting. */
  temporal(waitMs?: number): Promise<Temporal> {
    this.#temporal ??= import('../infra/temporal/connect.ts').then(({ connectTemporal }) =>
      connectTemporal(this.environment, waitMs),
    );
    return this.#temporal;
  }

  /** Asks Temporal for something, shows that it takes long, and gives up with an error that says what to do. */
  async ask<T>(what: string, work: (client: Client) => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
    const { client } = await this.temporal();
    return this.out.progress(what, () => client.withDeadline(Date.now() + patienceMs, () => work(client)));
  }

  /** Names that the configuration or the store knows. */
  async services(): Promise<readonly string[]> {
    const configured = (await findServices(this.home)).map(({ service }) => service);
    const stored = this.hasStore ? await this.control.services() : [];
    return [...new Set([...configured, ...stored])].sort();
  }

  async service(named: string | undefined): Promise<string> {
    return pick(await this.services(), named, this.home);
  }

  config(service: string): Promise<ServiceConfig> {
    return serviceNamed(this.home, service, this.environment.environment);
  }

  async close(): Promise<void> {
    this.#control?.close();
    for (const store of this.#documents.values()) store.close();
    await this.#temporal?.then(
      ({ close }) => close(),
      () => undefined, // It never opened, and the command has said so.
    );
  }
}

export const pick = (known: readonly string[], named: string | undefined, home: string): string => {
  const list = known.join(', ');
  if (named !== undefined) {
    if (known.includes(named)) return named;
    throw new PawlError('NotFound', `There is no service ${named} in ${home}.`, {
      hint: list === '' ? '`pawl init` makes one.' : `It knows: ${list}.`,
    });
  }
  const [only, ...others] = known;
  if (only === undefined)
    throw new PawlError('NotFound', `${home} has no service yet.`, { hint: '`pawl init` makes one.' });
  if (others.length > 0)
    throw new PawlError('Usage', `${home} has several services: say which one.`, { hint: `It knows: ${list}.` });
  return only;
};
