import { CatalogLake, openTarget, type Store } from './catalog-lake.ts'

// A sync in a process of its own that dies the moment it would say that a table is done: everything is written, and the cursor does not know.

const [home, store] = process.argv.slice(2) as [string, Store]
const lake = await CatalogLake.open(home)
const { target } = await openTarget(home, store)
await lake.sync(store, {
  ...target,
  async saveCursor(table, cursor) {
    if (table === 'silver.movies' && cursor.pending === undefined)
      process.kill(process.pid, 'SIGKILL')
    await target.saveCursor(table, cursor)
  },
})
