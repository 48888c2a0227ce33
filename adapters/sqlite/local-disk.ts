import { statfsSync } from 'node:fs';
import { PawlError } from '../../contracts/failures.ts';

/** Linux' numbers of file systems whose locks or shared memory SQLite cannot rely on (statfs(2), linux/magic.h). */
const NETWORK = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
]);

export type StatFs = (path: string) => { readonly type: number };

/** The store's promises hang on the locks of the file system, which a network disk does not keep. */
export const assertLocalDisk = (folder: string, statfs: StatFs = statfsSync, platform = process.platform): void => {
  if (platform !== 'linux') return;
  const name = NETWORK.get(statfs(folder).type >>> 0);
  if (name === undefined) return;
  throw new PawlError('SetupFailed', `${folder} lies on a network disk (${name}), on which SQLite can lose writes`, {
    hint: 'Put the state on a local disk. Several machines share their state through PostgreSQL (PAWL_STORE), not through a shared folder.',
  });
};
