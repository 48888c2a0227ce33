/** A copy of the workflow code with one place changed, bundled as the real code is. */
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Inside the project, so that its packages resolve from there. */
const home = join(root, '.pawl', 'planted');

/** What stands in the code, and what stands there instead. */
export type Edit = readonly [from: string, to: string];

export const bundleWith = async (edits: readonly Edit[]): Promise<{ code: string }> => {
  mkdirSync(home, { recursive: true });
  const copy = mkdtempSync(join(home, 'copy-'));
  try {
    for (const folder of ['workflows', 'contracts', 'domain'])
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    for (const edit of edits) plant(copy, edit);
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(copy, 'workflows', 'index.ts'),
      payloadConverterPath: join(copy, 'contracts', 'payload-converter.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    return { code };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

/** The text must stand in exactly one place: where the code has moved on, the plant has to follow it. */
const plant = (copy: string, [from, to]: Edit): void => {
  const files = globSync('workflows/**/*.ts', { cwd: copy }).map((name) => join(copy, name));
  const places = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split(from)
      .slice(1)
      .map(() => file),
  );
  const [file] = places;
  if (file === undefined || places.length > 1) throw new Error(`${places.length} places in workflows/ hold: ${from}`);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(from, () => to),
  );
};
