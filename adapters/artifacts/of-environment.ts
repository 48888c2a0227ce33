import type { Environment } from '../../infra/setup/environment.ts';
import { folderArtifacts } from './folder.ts';
import type { ArtifactStore } from './port.ts';
import { s3Artifacts } from './s3.ts';

/** In the bucket that PAWL_ARTIFACTS names; otherwise in the home's own folder. */
export const artifactsOf = ({ artifacts }: Pick<Environment, 'artifacts'>, folder: string): ArtifactStore =>
  artifacts === null ? folderArtifacts(folder) : s3Artifacts({ ...artifacts, now: Date.now });
