import {
  CatalogLake,
  film,
  openTarget,
  personRow,
  STORES,
  type Store,
} from '../test/flow/catalog-lake.ts'
import { type Bench, rounded } from './bench.ts'

const TITLE_COUNT = 100_000
const PERSON_COUNT = 2_000
const CHANGED_PART = 0.01
const FULL_PERCENT_MAX = 3

/** Films with three cast members and a director each, into every embedded store; then one in a hundred changes. */
export const sync: Bench = {
  name: 'sync',
  question: 'What does a sync of 1 % changed titles cost, beside the first fill of the same store?',
  secondsDefault: 600,
  async run({ folder, rows: titleCount = TITLE_COUNT, say }) {
    const lake = await CatalogLake.open(folder)
    const figures: Record<string, number | null> = { title_count: titleCount }
    const changedCount = Math.max(1, Math.round(titleCount * CHANGED_PART))
    const people = (index: number) => [1, 7, 13].map((step) => 1 + ((index * step) % PERSON_COUNT))
    const targets = new Map<Store, Awaited<ReturnType<typeof openTarget>>>()
    try {
      const persons = Array.from({ length: PERSON_COUNT }, (_, index) => personRow(index + 1))
      const films = Array.from({ length: titleCount }, (_, index) =>
        film(index + 1, `What became of number ${index} in the end`, people(index)),
      )
      await lake.record([...persons, ...films], 1)
      for (const store of STORES) {
        targets.set(store, await openTarget(folder, store))
        const { seconds, cpuSeconds } = await costOf(lake, store, targets, say)
        figures[`${store}_full_seconds`] = seconds
        figures[`${store}_full_cpu_seconds`] = cpuSeconds
      }
      const changed = Array.from({ length: changedCount }, (_, index) => {
        const id = 1 + Math.floor(index / CHANGED_PART)
        return film(id, `Another story ${index}`, people(id - 1))
      })
      await lake.record(changed, 2)
      for (const store of STORES) {
        const { seconds, cpuSeconds } = await costOf(lake, store, targets, say)
        figures[`${store}_changed_seconds`] = seconds
        figures[`${store}_changed_cpu_seconds`] = cpuSeconds
        const percentOf = (part: number, whole: string) =>
          rounded((100 * part) / figures[`${store}_full_${whole}`]!, 1)
        figures[`${store}_changed_percent`] = percentOf(seconds, 'seconds')
        figures[`${store}_changed_cpu_percent`] = percentOf(cpuSeconds, 'cpu_seconds')
      }
    } finally {
      for (const { close } of targets.values()) await close()
      lake.close()
    }
    return {
      figures,
      goals: STORES.map((store) => ({
        figure: `${store}_changed_percent`,
        atMost: FULL_PERCENT_MAX,
      })),
      limits: ['A sync has a fixed cost of some tenths of a second, which small catalogs show.'],
    }
  },
}

async function costOf(
  lake: CatalogLake,
  store: Store,
  targets: ReadonlyMap<Store, Awaited<ReturnType<typeof openTarget>>>,
  say: (line: string) => void,
): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> {
  const startMs = performance.now()
  const startCpu = process.cpuUsage()
  const { sent } = await lake.sync(store, targets.get(store)!.target)
  const { user, system } = process.cpuUsage(startCpu)
  const cpuSeconds = rounded((user + system) / 1e6, 3)
  const seconds = rounded((performance.now() - startMs) / 1_000, 3)
  say(`${store}: ${sent} items in ${seconds} s, ${cpuSeconds} s of processor time`)
  return { seconds, cpuSeconds }
}
