/**
 * `npm run lock`, after a dependency was changed: names every platform's optional packages in package-lock.json.
 *
 * npm leaves those out that its registry did not have when the lockfile was made (mirrors often carry one platform
 * only), and `npm ci` of npm 11 then refuses the whole lockfile on every machine.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
/** @type {Record<string, string>} */
const C_LIBRARIES = { gnu: 'glibc', musl: 'musl' };

/** @typedef {{ version: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string> }} Entry */

/** @param {Record<string, Entry>} packages @returns {Record<string, Entry>} */
export function leftOut(packages) {
  const named = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/'))));
  /** @type {Record<string, Entry>} */
  const missing = {};
  for (const { optionalDependencies = {}, dev } of Object.values(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const path = `node_modules/${name}`;
      if (!named.has(path)) missing[path] = { version, ...(dev && { dev }), optional: true, ...platformOf(name) };
    }
  }
  return missing;
}

/**
 * Read off the name, as in `@scope/thing-linux-x64-musl`.
 * @param {string} name
 */
function platformOf(name) {
  const words = name.slice(name.indexOf('/') + 1).split('-');
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  const libc = words.flatMap((word) => C_LIBRARIES[word] ?? []);
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const { '': root, ...packages } = lockfile.packages;
  const all = Object.entries({ ...packages, ...leftOut(lockfile.packages) }).sort(([a], [b]) => (a < b ? -1 : 1));
  lockfile.packages = { '': root, ...Object.fromEntries(all) };
  writeFileSync('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
}
