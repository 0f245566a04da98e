import { type Command, type CommandContext, UsageError } from '../command.ts'
import { dropLetters } from '../dead-letters/drop.ts'
import { fixLetter } from '../dead-letters/fix.ts'
import { listLetters } from '../dead-letters/list.ts'
import { replayLetters } from '../dead-letters/replay.ts'
import { showLetter } from '../dead-letters/show.ts'

const VERBS: Readonly<Record<string, (context: CommandContext) => Promise<number>>> = {
  list: listLetters,
  show: showLetter,
  fix: fixLetter,
  replay: replayLetters,
  drop: dropLetters,
}

export const dlq: Command = {
  name: 'dlq',
  summary: 'dead letters: look at what was turned away, mend it, send it back',
  usage: [
    'dlq list [--pipeline P] [--hop H] [--reason R] [--status S] [--limit N]',
    'mekong dlq show ID',
    'mekong dlq fix ID (--value TEXT | --file FILE | --set FIELD=JSON …) [--note TEXT]',
    'mekong dlq replay ID… | --all [--pipeline P] [--hop H] [--reason R] [--force] [--dry-run]',
    'mekong dlq drop ID… [--note TEXT]',
  ].join('\n       '),
  about: `
Every record that the gateway or a hop could not take is kept as a dead letter: its bytes, where it was, and why.
  list    what waits (status open and fixed), oldest first; the first characters of an id are enough in the other commands
  show    one letter: its bytes, the reason, and what would become of it now
  fix     keep mended bytes beside the original ones, and show what would become of them; sends nothing
  replay  send letters back to where they were turned away, and only there, exactly once. One that would die again is refused
  drop    decide that letters will not be replayed; they are kept, and "fix" brings one back
Replay goes through the running platform (set MEKONG_API_KEY when it has keys). Where none runs, it starts one without front door, waits
until the records have arrived, and stops it. Exit code 1 when a letter was refused or died again.`,
  options: {
    pipeline: { type: 'string', value: 'P', doc: 'Of this pipeline only.' },
    hop: { type: 'string', value: 'H', doc: 'Turned away here: gateway, a table or a store.' },
    reason: { type: 'string', value: 'R', doc: 'With this reason (docs/errors.md).' },
    status: {
      type: 'string',
      value: 'S',
      doc: 'list: open, fixed, replayed, dropped or all (default: open and fixed).',
    },
    limit: { type: 'string', value: 'N', doc: 'list: at most so many (default 100).' },
    value: { type: 'string', value: 'TEXT', doc: 'fix: the whole mended value.' },
    file: { type: 'string', value: 'FILE', doc: 'fix: a file with the whole mended value.' },
    set: {
      type: 'string',
      value: 'FIELD=JSON',
      multiple: true,
      doc: 'fix: set one field of the JSON object; again for more fields.',
    },
    note: { type: 'string', value: 'TEXT', doc: 'fix, drop: why, for whoever looks later.' },
    all: { type: 'boolean', doc: 'replay: every letter that waits, with the filters above.' },
    force: { type: 'boolean', doc: 'replay: also what would die again.' },
    'dry-run': { type: 'boolean', doc: 'replay: only say what would become of it.' },
  },
  examples: [
    ['mekong dlq list', 'what waits'],
    ['mekong dlq show 3k9', 'why, and what would happen now'],
    ['mekong dlq fix 3k9 --set user_id=7', 'mend one field'],
    [`mekong dlq fix 3k9 --set event_type='"click"'`, 'a text keeps its quotes'],
    ['mekong dlq replay 3k9', 'send it back'],
    ['mekong dlq replay --all --reason step_failed --dry-run', 'would it work now?'],
  ],

  async run(context) {
    const [verb, ...args] = context.args
    const act = verb === undefined ? undefined : VERBS[verb]
    if (act === undefined) {
      const names = Object.keys(VERBS).join(', ')
      throw new UsageError(
        verb === undefined
          ? `Say what to do: mekong dlq ${names.replaceAll(', ', ' | ')}`
          : `There is no "dlq ${verb}". There are: ${names}.`,
      )
    }
    return act({ ...context, args })
  },
}
