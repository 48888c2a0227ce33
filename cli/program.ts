/** Commander's tree, made from the commands. */
import { Command } from 'commander';
import type { PawlCommand } from './command.ts';
import { commands, groups } from './commands.ts';

export type Execute = (command: PawlCommand, given: Readonly<Record<string, unknown>>) => Promise<void>;

export const createProgram = (execute: Execute, version: string): Command => {
  const program = new Command('pawl')
    .description('A durable self-improvement loop for AI services, on Temporal.')
    .version(version, '-V, --version', 'print the version')
    .option('--home <folder>', 'folder with pawl.yaml or services/ (PAWL_HOME, or the nearest one upwards)')
    .option('--json', 'print JSON on stdout and nothing else; errors as JSON on stderr')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', exampleText(['pawl up', 'pawl cycle start --wait', 'pawl kill --reason "wrong answers"']))
    .exitOverride()
    // Errors are told in one place, for people or as JSON.
    .configureOutput({ outputError: () => undefined });

  const parents = new Map<string, Command>();
  for (const command of commands) {
    const words = command.name.split(' ');
    const [group, verb] = words;
    if (group === undefined) continue;
    if (verb === undefined) add(program, group, command, execute);
    else add(parentOf(program, parents, group), verb, command, execute);
  }
  helpTopics(program, parents.get('help'));
  return program;
};

const parentOf = (program: Command, parents: Map<string, Command>, group: string): Command => {
  const known = parents.get(group);
  if (known) return known;
  const parent = program
    .command(group)
    .description(groups[group] ?? '')
    .helpCommand(false);
  const inside = commands.filter(({ name }) => name.startsWith(`${group} `));
  parent.addHelpText('after', exampleText(inside.slice(0, 2).map(({ examples }) => examples[0])));
  parents.set(group, parent);
  return parent;
};

const add = (parent: Command, word: string, command: PawlCommand, execute: Execute): void => {
  const { about, details, arguments: positional = [], options = [], examples } = command;
  const added = parent
    .command(word)
    .summary(about)
    .description(details ? `${sentence(about)}\n\n${details}` : sentence(about));
  for (const [form, meaning] of positional) added.argument(form, meaning);
  for (const [form, meaning] of options) added.option(form, meaning);
  added.addHelpText('after', exampleText(examples));
  added.action(async () => {
    const named = added.registeredArguments.map((argument, at) => [argument.name(), added.processedArgs[at]]);
    await execute(command, { ...Object.fromEntries(named), ...added.opts() });
  });
};

/** `pawl help cycle start` says what `pawl cycle start --help` says. */
const helpTopics = (program: Command, help: Command | undefined): void => {
  help?.argument('[words...]', 'a command').action((words: string[]) => {
    const topic = words.reduce<Command | undefined>(
      (at, word) => at?.commands.find((command) => command.name() === word),
      program,
    );
    if (topic) topic.help();
    program.error(`unknown command '${words.join(' ')}'`, { code: 'commander.unknownCommand' });
  });
};

const sentence = (about: string): string => `${about.charAt(0).toUpperCase()}${about.slice(1)}.`;
const exampleText = (examples: readonly string[]): string =>
  `\n${examples.length > 1 ? 'Examples' : 'Example'}:\n${examples.map((example) => `  ${example}`).join('\n')}`;
