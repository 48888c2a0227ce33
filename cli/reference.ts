/** docs/guide/cli.md: the same text that --help shows, on one page. */
import type { PawlCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export const reference = (commands: readonly PawlCommand[]): string =>
  [
    '# The `pawl` command',
    '`npm run -s pawl -- COMMAND` in a checkout. Every command takes `--home FOLDER` (otherwise `PAWL_HOME`, the nearest folder upwards with `pawl.yaml` or `services/`, or the home of the story) and `--json`: one JSON value on stdout and nothing else (`cycle watch`: one a line); an error is `{ "error": { "type", "message", "hint" } }`, the last line on stderr.',
    'What restricts (`kill`, `pause`, `reject`, `cycle abort`, `cycle pause`) needs a reason only. What loosens (`rearm`, `resume`, `gold set`, `approve`, `cycle resume`, `cycle skip`) is signed with the key of a person ([people](people.md)); `--print` prints the signed token, to be pasted into the Web UI.',
    ...commands.map(sectionOf),
    '## Exit codes',
    tableOf(
      ['code', 'name', 'meaning'],
      exitCodes.map(({ code, name, meaning }) => [String(code), name, meaning]),
    ),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');

const sectionOf = ({
  name,
  about,
  details,
  arguments: positional = [],
  options = [],
  examples,
}: PawlCommand): string => {
  const forms = [...positional, ...options].map(([form, meaning]) => [`\`${form}\``, meaning]);
  return [
    `## \`pawl ${name}\``,
    `${about.charAt(0).toUpperCase()}${about.slice(1)}.${details === undefined ? '' : ` ${details}`}`,
    ...(forms.length > 0 ? [tableOf(['', ''], forms)] : []),
    ['```sh', ...examples, '```'].join('\n'),
  ].join('\n\n');
};

const tableOf = (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`.replace(/\| {2}\|/g, '| |'))
    .join('\n');
