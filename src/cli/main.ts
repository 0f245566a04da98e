import { parseArgs } from 'node:util'
import project from '../../package.json' with { type: 'json' }
import { messageOf, PlatformError } from '../model/errors.ts'
import { type Command, EXIT, GLOBAL_OPTIONS, parseArgsOptions, UsageError } from './command.ts'
import { COMMANDS } from './commands.ts'
import { commandHelp, overviewHelp } from './help.ts'
import { runRecorded } from './record-action.ts'
import { openTerminal } from './terminal.ts'

// The command line: arguments and environment in, text or JSON out. The only file that reads `process.env` or ends the process.

const CONFIG_CODES = new Set(['CONFIG_INVALID', 'PLAN_INVALID', 'HOME_TOO_NEW'])

/** Aborted by the first Ctrl+C or SIGTERM. */
const interrupted = new AbortController()

async function main(argv: readonly string[]): Promise<number> {
  const terminal = openTerminal(process.stdout, process.stderr)
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const about = COMMANDS.find((command) => command.name === rest[0])
    terminal.print(about === undefined ? overviewHelp(COMMANDS) : commandHelp(about))
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  if (name === '--version' || name === '-V') {
    terminal.print(`mekong ${project.version} (Node ${process.versions.node})`)
    return EXIT.ok
  }
  const command = COMMANDS.find((known) => known.name === name)
  if (command === undefined) {
    terminal.note(
      `mekong: there is no command "${name}". There are: ${COMMANDS.map((c) => c.name).join(', ')}`,
    )
    return EXIT.usage
  }
  const json = rest.includes('--json')
  try {
    return await runCommand(command, rest, terminal)
  } catch (error) {
    terminal.progress('')
    if (interrupted.signal.aborted) {
      terminal.note(`mekong ${name}: stopped before the end; what was accepted is kept.`)
      return EXIT.interrupted
    }
    const { code, exit } = classify(error)
    if (json) terminal.printJson({ ok: false, error: { code, message: messageOf(error) } })
    terminal.note(`mekong ${name}: ${messageOf(error)}`)
    if (exit === EXIT.usage) terminal.note(`Try: mekong ${name} --help`)
    if (code === 'UNEXPECTED' && error instanceof Error) terminal.note(error.stack ?? '')
    return exit
  }
}

async function runCommand(
  command: Command,
  args: readonly string[],
  terminal: ReturnType<typeof openTerminal>,
): Promise<number> {
  const { values, lists, positionals } = parsed(command, args)
  if (values.help === true) {
    terminal.print(commandHelp(command))
    return EXIT.ok
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // The second time means now.
      if (interrupted.signal.aborted) process.exit(EXIT.interrupted)
      interrupted.abort()
    })
  }
  return runRecorded(command, {
    args: positionals,
    options: values,
    lists,
    variables: process.env,
    cwd: process.cwd(),
    terminal,
    signal: interrupted.signal,
  })
}

function parsed(command: Command, args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: parseArgsOptions(command),
      allowPositionals: true,
      strict: true,
    })
    const multiple = Object.keys(command.options).filter((name) => command.options[name]!.multiple)
    return {
      values: values as Record<string, string | boolean | undefined>,
      lists: Object.fromEntries(
        multiple.map((name) => [name, (values[name] ?? []) as readonly string[]]),
      ),
      positionals,
    }
  } catch (error) {
    const names = Object.keys({ ...command.options, ...GLOBAL_OPTIONS })
    throw new UsageError(`${messageOf(error)}\nOptions: ${names.map((n) => `--${n}`).join(', ')}`)
  }
}

function classify(error: unknown): { code: string; exit: number } {
  if (error instanceof UsageError) return { code: 'USAGE', exit: EXIT.usage }
  if (!(error instanceof PlatformError)) return { code: 'UNEXPECTED', exit: EXIT.failed }
  if (CONFIG_CODES.has(error.code)) return { code: error.code, exit: EXIT.config }
  return { code: error.code, exit: error.retry === 'later' ? EXIT.unavailable : EXIT.failed }
}

// A reader that went away (`mekong sql … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
})

process.exitCode = await main(process.argv.slice(2))
