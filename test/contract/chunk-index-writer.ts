/** A process of its own that replaces the same documents again and again, and tells each time that it is done. */
import { writeSync } from 'node:fs';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import { documentOf, recipe } from './chunk-index-scene.ts';

const [folder = ''] = process.argv.slice(2);
const index = await embeddedIndexes(folder).open(recipe());
for (let cursor = (await index.cursor()) + 1; ; cursor++) {
  const text = `version${cursor} one | version${cursor} two`;
  await index.apply({ cursor, documents: Array.from({ length: 50 }, (_, n) => documentOf(`d${n}`, text)) });
  writeSync(1, `${cursor}\n`);
}
