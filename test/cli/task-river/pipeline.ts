import { appendFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { int32, pipeline, record, text } from 'mekong'

const Reading = record({ sensor: text({ min: 1 }), celsius: int32() })

/** Where the test says what tasks may do, and reads what they did. */
const folder = process.env.TASK_RIVER_FOLDER ?? ''
const told = (name: string) => existsSync(path.join(folder, name))
const note = (line: string) => appendFileSync(path.join(folder, 'done.txt'), `${line}\n`)

/** A river with tasks: `stats` counts, `patient` waits for a file named `go`, `last` comes after it, `broken` fails. */
export default pipeline('tasks', (p) => {
  const readings = p.topic('readings', { value: Reading, partitions: 1 })
  p.ingest('/readings', readings)
  p.table('bronze.readings', { from: readings })
  p.load({
    description: 'one reading a line',
    path: '/readings',
    format: 'json',
    matches: /\.json$/,
    event: ({ sensor, celsius }) => ({ sensor, celsius }),
  })
  p.step('stats', {
    reads: ['bronze.readings'],
    tags: ['hourly'],
    async run({ query, log, logicalMs }) {
      const [row] = await query(
        'select count(*) as n, max(celsius) as hottest from bronze.readings',
      )
      log(`for ${new Date(logicalMs).toISOString()}`)
      return { status: 'done', facts: { rows: row!.n as number, hottest: row!.hottest as number } }
    },
  })
  p.step('patient', {
    writes: ['gold.patience'],
    tags: ['slow'],
    async run({ signal, attempt, progress }) {
      note(`patient begins ${attempt}`)
      while (!told('go')) {
        progress(1, 2)
        await sleep(20, undefined, { signal })
      }
      note('patient')
    },
  })
  p.step('last', { reads: ['gold.patience'], tags: ['slow'], run: async () => note('last') })
  p.step('broken', {
    tags: ['bad'],
    async run() {
      if (!told('mended')) throw new Error('It is broken.')
    },
  })
  p.step('past', {
    tags: ['past'],
    async run({ range, attempt }) {
      note(`past ${range?.from} ${range?.to}`)
      if (range?.from === '2026-02-03' && !told('mended')) throw new Error('That day is broken.')
      if (range?.from === '2026-02-02' && attempt === 1 && told('slowly')) await sleep(600_000)
    },
  })
  p.schedule('hourly', { cron: '0 * * * *', run: ['tag:hourly'] })
})
