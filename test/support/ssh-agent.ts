/** A real ssh-agent for one test, with keys that ssh-keygen made. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { keyInLine } from '../../adapters/keys/agent.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolveProgram } from '../../infra/setup/program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Path of the program; null on a machine without it: `test.skipIf`. */
export const sshAgent = await resolveProgram('sshAgent', readEnvironment()).catch(() => null);

export const startAgent = async () => {
  const folder = temporaryFolder();
  const socket = join(folder, 'agent');
  const agent = spawn(sshAgent ?? '', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    agent.kill();
    await once(agent, 'exit');
  });
  await once(agent.stdout, 'data');
  const addKey = (comment: string, kind = 'ed25519') => {
    const file = join(folder, `${comment.replaceAll(' ', '-')}.key`);
    execFileSync('ssh-keygen', ['-q', '-t', kind, '-N', '', '-C', comment, '-f', file]);
    execFileSync('ssh-add', ['-q', file], { env: { SSH_AUTH_SOCK: socket, PATH: '/usr/bin:/bin' } });
    rmSync(file);
    const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ');
    return { publicKey: keyInLine(readFileSync(`${file}.pub`, 'utf8')) ?? '', fingerprint };
  };
  return { socket, addKey };
};
