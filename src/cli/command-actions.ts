import type { CommandContext } from './command.ts'

/** What a command is called in the audit log. */
export interface CommandAction {
  /** A word such as `table.optimize`, of the same families as those of the API. */
  readonly action: string
  /** Where a platform runs, it is asked to do it, and writes it down itself. */
  readonly asksPlatform?: true
}

type Written = Pick<CommandContext, 'args' | 'options'>

const always = (action: string, asksPlatform?: true) => (): CommandAction =>
  asksPlatform === undefined ? { action } : { action, asksPlatform }
const unlessDryRun =
  (action: string) =>
  ({ options }: Written): CommandAction | undefined =>
    options['dry-run'] === true ? undefined : { action }
const verbs =
  (known: Readonly<Record<string, CommandAction | undefined>>, otherwise?: CommandAction) =>
  ({ args: [verb = ''] }: Written): CommandAction | undefined =>
    Object.hasOwn(known, verb) ? known[verb] : otherwise

const CREATE_KEY: CommandAction = { action: 'key.create' }

/**
 * Commands that change something in a home, and when; the others only look. A test holds this against the commands there are. Whoever may
 * run them may also write to the state file, so this is a record of what was done, and no proof against whoever did it.
 */
export const COMMAND_ACTIONS: Readonly<
  Record<string, (written: Written) => CommandAction | undefined>
> = {
  backfill: verbs(
    {
      ...{ list: undefined, status: undefined },
      pause: { action: 'backfill.pause', asksPlatform: true },
      resume: { action: 'backfill.resume', asksPlatform: true },
      cancel: { action: 'backfill.cancel', asksPlatform: true },
    },
    { action: 'backfill.begin', asksPlatform: true },
  ),
  collect: always('records.collect'),
  convert: unlessDryRun('table.convert'),
  demo: always('platform.start'),
  dlq: verbs({
    fix: { action: 'letter.fix' },
    drop: { action: 'letter.drop' },
    replay: { action: 'letter.replay', asksPlatform: true },
  }),
  enrich: unlessDryRun('label.texts'),
  expire: unlessDryRun('table.expire'),
  keys: verbs({ create: CREATE_KEY, add: CREATE_KEY, revoke: { action: 'key.revoke' } }),
  load: always('files.load'),
  optimize: unlessDryRun('table.optimize'),
  restore: unlessDryRun('table.restore'),
  run: always('run.begin', true),
  runs: verbs({ cancel: { action: 'run.cancel', asksPlatform: true } }),
  sessions: verbs({ end: { action: 'session.end' } }),
  sync: always('sync.check', true),
  up: always('platform.start'),
  vacuum: unlessDryRun('table.vacuum'),
}
