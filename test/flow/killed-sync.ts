import { CatalogLake, openTarget, type Store } from './catalog-lake.ts'

// A sync in a process of its own that dies in the middle: by `moment` when half of a batch is written, or when everything is and the cursor does not
// know; or `never`, to fill a store that the next process breaks.

const [home, store, moment] = process.argv.slice(2) as [string, Store, 'half' | 'cursor' | 'never']
const lake = await CatalogLake.open(home)
const { target, close } = await openTarget(home, store)
const die = () => process.kill(process.pid, 'SIGKILL')
await lake.sync(store, {
  ...target,
  async write({ puts, removes }, signal) {
    if (moment !== 'half') return target.write({ puts, removes }, signal)
    const half = <T>(items: readonly T[]) => items.slice(0, Math.ceil(items.length / 2))
    await target.write({ puts: half(puts), removes: half(removes) }, signal)
    die()
    return {}
  },
  async saveCursor(table, cursor) {
    if (moment === 'cursor' && table === 'silver.movies' && cursor.pending === undefined) die()
    await target.saveCursor(table, cursor)
  },
})
await close()
lake.close()
