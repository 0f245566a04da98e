import { bytesView } from '../../api/letter-views.ts'
import { instant, isOwnTopic, type TopicView, topicView } from '../../api/views.ts'
import { topicMissing } from '../../log/errors.ts'
import type { LogReader, TopicDescription } from '../../log/log.ts'
import { type LogRecord, recordAt } from '../../model/record-batch.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { timeText, wholeNumber } from '../numbers.ts'
import type { Terminal } from '../terminal.ts'
import { valueText } from '../value-text.ts'
import { nothingYet, withHome } from '../with-home.ts'

const LIMIT_DEFAULT = 20
/** Of values, in one look. */
const BYTES_MAX = 32 * 1024 * 1024

export const topics: Command = {
  name: 'topics',
  summary: 'list the topics of the log, or show records of one',
  usage: 'topics [--all]\n       mekong topics show TOPIC [--partition P] [--offset N] [--limit N]',
  about: `
Without an argument: each topic with its partitions, the records it keeps, its first and next offset, and how many records were turned away
because they were there already. "show" prints records: the newest ones, or those from an offset on.`,
  options: {
    all: { type: 'boolean', doc: 'Show the topics of replayed dead letters too.' },
    partition: { type: 'string', value: 'P', doc: 'show: one partition (default: all).' },
    offset: { type: 'string', value: 'N', doc: 'show: from this offset on (default: the newest).' },
    limit: {
      type: 'string',
      value: 'N',
      doc: `show: at most so many records of each partition (default ${LIMIT_DEFAULT}).`,
    },
  },
  examples: [
    ['mekong topics', 'what the log holds'],
    ['mekong topics show user-events --limit 3', 'the newest records'],
    ['mekong topics show user-events --partition 0 --offset 100', 'from a place on'],
  ],

  run: (context) =>
    withHome(context, async (reader) => {
      const [verb, ...args] = context.args
      if (verb !== undefined && verb !== 'show') {
        throw new UsageError(
          `There is no "topics ${verb}"; there is "topics" and "topics show TOPIC".`,
        )
      }
      const log = await reader.log()
      if (log === undefined) {
        if (context.options.json === true) context.terminal.printJson({ topics: [] })
        else context.terminal.print(nothingYet(reader, 'topics'))
        return EXIT.ok
      }
      if (verb === 'show') return show(context, log, onlyArgument({ args }, 'the topic'))
      return list(context, await log.topics())
    }),
}

function list({ terminal, options }: CommandContext, found: readonly TopicDescription[]): number {
  const shown = found.filter(({ name }) => options.all === true || !isOwnTopic(name)).map(topicView)
  if (options.json === true) terminal.printJson({ topics: shown })
  else if (shown.length === 0) terminal.print('There are no topics yet.')
  else printTopics(terminal, shown)
  return EXIT.ok
}

function printTopics(terminal: Terminal, shown: readonly TopicView[]): void {
  terminal.table(
    ['topic', 'partition', 'records kept', 'first offset', 'next offset', 'duplicates turned away'],
    shown.flatMap(({ name, partitions, duplicates }) =>
      partitions.map(({ partition, records, first_offset, next_offset }, index) => [
        index === 0 ? name : '',
        String(partition),
        records,
        first_offset,
        next_offset,
        // Counted for the topic as a whole.
        index === 0 ? duplicates : null,
      ]),
    ),
  )
}

async function show(context: CommandContext, log: LogReader, name: string): Promise<number> {
  const { terminal, options } = context
  const known = await log.topics()
  const topic = known.find((description) => description.name === name)
  if (topic === undefined)
    throw topicMissing(
      name,
      known.map((description) => description.name),
    )
  const records = await recordsOf(log, topic, {
    partition: wholeNumber(options.partition, '--partition'),
    offset: wholeNumber(options.offset, '--offset'),
    limit: wholeNumber(options.limit, '--limit') ?? LIMIT_DEFAULT,
  })
  if (options.json === true) terminal.printJson({ topic: name, records: records.map(recordView) })
  else if (records.length === 0) terminal.print(`There are no records there in ${name}.`)
  else {
    terminal.table(
      ['place', 'arrived (UTC)', 'key', 'id', 'headers', 'value'],
      records.map((record) => [
        `${record.partition}/${record.offset}`,
        timeText(instant(record.arrivedMs)),
        record.key,
        record.id,
        Object.keys(record.headers).length === 0 ? null : record.headers,
        valueText(record.value),
      ]),
    )
  }
  return EXIT.ok
}

interface Place {
  readonly partition: number | undefined
  readonly offset: number | undefined
  readonly limit: number
}

async function recordsOf(
  log: LogReader,
  topic: TopicDescription,
  { partition, offset, limit }: Place,
): Promise<readonly LogRecord[]> {
  if (partition !== undefined && partition >= topic.partitions) {
    throw new UsageError(
      `--partition ${partition}: ${topic.name} has the partitions 0 to ${topic.partitions - 1}.`,
    )
  }
  const places = topic.bounds.filter(
    (bounds) => partition === undefined || bounds.partition === partition,
  )
  const found: LogRecord[] = []
  for (const bounds of limit === 0 ? [] : places) {
    const batch = await log.read({
      topic: topic.name,
      partition: bounds.partition,
      offset: offset ?? Math.max(bounds.offsetStart, bounds.offsetEnd - limit),
      recordCountMax: limit,
      bytesMax: BYTES_MAX,
    })
    for (let index = 0; index < batch.offsets.length; index += 1) found.push(recordAt(batch, index))
  }
  return found
}

const recordView = ({ topic: _, arrivedMs, value, ...record }: LogRecord) => ({
  ...record,
  arrived_at: instant(arrivedMs),
  value: bytesView(value),
})
