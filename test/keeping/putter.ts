/** A process of its own that puts the same few artifacts again and again, each time after it has made the file old. */
import { utimesSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { artifactPath } from '../../adapters/artifacts/paths.ts';

const LONG_AGO = new Date('2001-01-01');

const [folder = '', count = '0'] = process.argv.slice(2);
const artifacts = folderArtifacts(folder);
const refs = await Promise.all(Array.from({ length: Number(count) }, (_, n) => artifacts.putJson({ shared: n })));
writeSync(1, 'ready\n');

const putAgain = async (n: number): Promise<void> => {
  for (;;) {
    const ref = refs[n] ?? { uri: '', sha256: '' };
    try {
      utimesSync(artifactPath(folder, ref.sha256), LONG_AGO, LONG_AGO);
    } catch {
      // It was removed, as it may: it was old.
    }
    await pause(n);
    await artifacts.putJson({ shared: n });
    await pause(n);
    // Whoever was told that it is there must find it from then on; an error ends this process.
    await artifacts.get(ref);
  }
};
await Promise.all(refs.map((_, n) => putAgain(n)));
