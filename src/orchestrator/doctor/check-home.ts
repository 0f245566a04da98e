import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { checkHomeVersion, HOME_VERSION, type Home, homeUse } from '../home.ts'
import { nearestFolder } from './check-machine.ts'
import { type Finding, finding, ok, warn } from './finding.ts'

/** Whether a home can be used: by whom it is, its layout, and whether its folder takes files. */
export function checkHome(home: Home): Promise<Finding> {
  return finding('home', 'Name another home with --home, or mend this one.', async () => {
    const nearest = nearestFolder(home.path)
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK)
    const use = homeUse(home)
    if (use.status === 'absent') return ok('home', `${home.path} will be made`)
    checkHomeVersion(home)
    switch (use.status) {
      case 'running':
        return ok('home', `${home.path}: process ${use.running.pid} runs at ${use.running.url}`)
      case 'busy':
        return warn(
          'home',
          `${home.path}: another process has it, without a front door`,
          'Wait until it is done: a starting platform, a replay, or a ledger of a home at rest.',
        )
      case 'free':
        return ok('home', `${home.path}, layout ${HOME_VERSION}, free`)
    }
  })
}

/** Whether SQLite keeps its promises on the disk of the home: a log that writes ahead, and real syncing. */
export function checkSqlite(home: Home): Promise<Finding> {
  const todo =
    'Put the home on a local disk: network file systems seldom have the locks and memory maps it needs.'
  return finding('sqlite', todo, async () => {
    const folder = await mkdtemp(path.join(nearestFolder(home.path), '.mekong-doctor-'))
    try {
      const database = new DatabaseSync(path.join(folder, 'probe.sqlite'))
      try {
        const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() as {
          journal_mode: string
        }
        if (mode !== 'wal') throw new Error(`the journal is "${mode}" instead of "wal"`)
        database.exec('PRAGMA synchronous = FULL; CREATE TABLE probe (n INTEGER)')
        const startMs = performance.now()
        database.exec('INSERT INTO probe VALUES (1)')
        const syncMs = performance.now() - startMs
        return syncMs < SYNC_SLOW_MS
          ? ok('sqlite', `writes ahead and syncs in ${syncMs.toFixed(1)} ms`)
          : warn('sqlite', `one synced commit took ${Math.round(syncMs)} ms`, SLOW_DISK)
      } finally {
        database.close()
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}

/** A spinning disk needs about 20; past this, answers of the gateway will be felt to be slow. */
const SYNC_SLOW_MS = 100
const SLOW_DISK = 'Answers of the gateway wait for it. Put the home on a faster disk.'
