import { type Command, type CommandOption, GLOBAL_OPTIONS } from './command.ts'

/** What `mekong` says about itself. */
export function overviewHelp(commands: readonly Command[]): string {
  return [
    'mekong: events go in at one end, tables and answers come out at the other, and nothing is lost on the way.',
    '',
    'Usage: mekong COMMAND [OPTIONS]',
    '',
    ...twoColumns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'First steps:',
    ...twoColumns([
      ['mekong demo', 'start everything, play the simulators, look around'],
      ['mekong sql "select …"', 'ask any table a question'],
      ['mekong COMMAND --help', 'what a command does, with examples'],
      ['mekong --version', 'which program this is, on which Node'],
    ]),
  ].join('\n')
}

export function commandHelp(command: Command): string {
  return [
    `mekong ${command.name}: ${command.summary}`,
    '',
    `Usage: mekong ${command.usage}`,
    '',
    command.about.trim(),
    '',
    'Options:',
    ...twoColumns(
      Object.entries<CommandOption>({ ...command.options, ...GLOBAL_OPTIONS }).map(optionLine),
    ),
    ...(command.examples.length === 0 ? [] : ['', 'Examples:', ...twoColumns(command.examples)]),
  ].join('\n')
}

function optionLine([name, option]: [string, CommandOption]): readonly [string, string] {
  const short = option.short === undefined ? '' : `-${option.short}, `
  const value = option.value === undefined ? '' : ` ${option.value}`
  return [`${short}--${name}${value}`, option.doc]
}

function twoColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(46, Math.max(...rows.map(([left]) => left.length)))
  return rows.map(([left, right]) =>
    left.length > width
      ? `  ${left}\n  ${' '.repeat(width)}  ${right}`
      : `  ${left.padEnd(width)}  ${right}`,
  )
}
