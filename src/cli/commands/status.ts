import { setTimeout as sleep } from 'node:timers/promises'
import { type HopView, isOwnTopic, type TopicView, topicView } from '../../api/views.ts'
import { homeUse, type RunningPlatform } from '../../orchestrator/home.ts'
import type { HomeReader } from '../../orchestrator/home-reader.ts'
import { type Command, type CommandContext, EXIT } from '../command.ts'
import { durationText } from '../numbers.ts'
import { askedOf } from '../running-platform.ts'
import { tableText } from '../terminal.ts'
import { withHome } from '../with-home.ts'

const WATCH_INTERVAL_MS = 1_000
/** Cursor home and clear to the end: without flicker, unlike clearing first. */
const REDRAW = '\x1b[H\x1b[J'
const CLEAR = '\x1b[2J'

/** What the platform says of itself at `/v1/status`, or what its home tells when it does not run. */
interface StatusView {
  readonly running: boolean
  readonly home: string
  readonly pid: number | null
  readonly url: string | null
  readonly postgres_url: string | null
  readonly started_at: string | null
  readonly hops: readonly HopView[]
  readonly topics: readonly TopicView[]
}

export const status: Command = {
  name: 'status',
  summary: 'is a platform running here, and how is it doing',
  usage: 'status [--watch]',
  about: `
Shows whether a platform runs on this home, since when and where, each hop with its state and lag, and the totals of each topic. Exit code 0
when one runs and no hop has failed, 1 otherwise. Set MEKONG_API_KEY when the platform has keys.`,
  options: { watch: { type: 'boolean', doc: 'Look again every second until Ctrl+C.' } },
  examples: [
    ['mekong status', 'one look'],
    ['mekong status --watch', 'keep looking'],
    ['mekong status --json', 'for a script'],
  ],

  run: (context) =>
    withHome(context, async (reader) => {
      const { terminal, options, signal } = context
      const redraws = options.watch === true && terminal.interactive && options.json !== true
      if (redraws) terminal.print(CLEAR)
      while (true) {
        const view = await lookAt(context, reader)
        if (options.json === true) terminal.printJson(view)
        else terminal.print((redraws ? REDRAW : '') + statusText(view))
        if (options.watch !== true || signal.aborted) return exitCode(view)
        await sleep(WATCH_INTERVAL_MS, undefined, { signal }).catch(() => {})
        if (signal.aborted) return exitCode(view)
      }
    }),
}

const exitCode = ({ running, hops }: StatusView): number =>
  running && hops.every(({ state }) => state !== 'failed') ? EXIT.ok : EXIT.failed

async function lookAt(context: CommandContext, reader: HomeReader): Promise<StatusView> {
  const use = homeUse(reader.home)
  if (use.status === 'running') return askRunning(context, reader, use.running)
  const log = await reader.log()
  const topics = (await log?.topics()) ?? []
  return {
    ...{ running: false, home: reader.home.path, pid: null, url: null, postgres_url: null },
    started_at: null,
    hops: [],
    topics: topics.filter(({ name }) => !isOwnTopic(name)).map(topicView),
  }
}

async function askRunning(
  context: CommandContext,
  { home }: HomeReader,
  running: RunningPlatform,
): Promise<StatusView> {
  const told = await askedOf<Omit<StatusView, 'running' | 'home' | 'pid'>>(running, context, {
    path: '/v1/status',
  })
  return { running: true, home: home.path, pid: running.pid, ...told }
}

function statusText(view: StatusView): string {
  const { running, home, pid, url, postgres_url: postgres, started_at: started } = view
  const head = running
    ? [
        `running    process ${pid}, for ${durationText(Date.now() - Date.parse(started!))}`,
        `home       ${home}`,
        `url        ${url}`,
        ...(postgres === null ? [] : [`postgres   ${postgres}`]),
      ]
    : [`not running in ${home}. Start it with "mekong up".`]
  const hops = tableText(
    ['pipeline', 'hop', 'state', 'lag (records)', ''],
    view.hops.map(({ pipeline, hop, state, lag_records, reason }) => [
      ...[pipeline, hop, state, lag_records, reason ?? ''],
    ]),
  )
  const topics = tableText(
    ['topic', 'partitions', 'appended', 'kept', 'duplicates turned away'],
    view.topics.map(({ name, partitions, appended, records, duplicates }) => [
      ...[name, partitions.length, appended, records, duplicates],
    ]),
  )
  return [
    ...head,
    ...(view.hops.length === 0 ? [] : ['', hops]),
    ...(view.topics.length === 0 ? ['', 'No topics yet.'] : ['', topics]),
  ].join('\n')
}
