/** A process of its own that runs gc over a home and kills itself in the middle, as kill -9 does. */
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { gc } from '../../adapters/keeping/gc.ts';

const [home = '', moment = ''] = process.argv.slice(2);
const paths = homePaths(home);
await gc(
  {
    paths,
    control: sqliteControl(paths.control),
    artifacts: folderArtifacts(paths.artifacts),
    services: [],
    now: Date.now,
  },
  {
    olderThanMs: 86_400_000,
    dryRun: false,
    actor: { kind: 'person', name: 'ada' },
    reason: 'a test',
    meanwhile: async (reached) => {
      if (reached === moment) process.kill(process.pid, 'SIGKILL');
    },
  },
);
