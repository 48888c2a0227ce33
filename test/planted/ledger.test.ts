/** Bugs in the ledger's chain and its head. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describePlants, type Plant } from './plant.ts';
import { checked } from './store-scene.ts';

const promoted = checked(async (scene) => {
  await scene.promoted();
  writeFileSync(join(scene.home, 'ledger.vkey'), `${await scene.control.ledgerKey()}\n`);
});

const plants: readonly Plant[] = [
  {
    bug: 'a row that names no row before it',
    edits: [
      {
        file: 'adapters/control/chain.ts',
        from: '...readable(given), seq, at, prev: head.last',
        to: '...readable(given), seq, at, prev: NO_ROW',
      },
    ],
    run: promoted,
    foundBy: 'a row follows the row before it',
  },
  {
    bug: 'a hash over another form of the row than was agreed',
    edits: [{ file: 'adapters/ledger/hashing.ts', from: '`{"actor":', to: '`{"by":' }],
    run: promoted,
    foundBy: 'a row is what its hash was taken of',
  },
  {
    bug: 'a tree whose leaves can pose as nodes',
    edits: [{ file: 'adapters/ledger/hashing.ts', from: 'Buffer.alloc(65, 1)', to: 'Buffer.alloc(65, 0)' }],
    run: promoted,
    foundBy: 'the head is the root over all rows',
  },
  {
    bug: 'a head that is not signed',
    edits: [
      {
        file: 'adapters/control/ledger.ts',
        from: 'root: rootOfHead(head) }, by)',
        to: 'root: rootOfHead(head) }, null)',
      },
    ],
    run: promoted,
    foundBy: 'the head is signed by the key of the ledger',
  },
];

describePlants('in the ledger,', plants);
