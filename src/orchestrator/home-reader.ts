import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LakeCatalog, lakeCatalog } from '../flow/lake-catalog.ts'
import { type LakeHome, openLakeHome } from '../flow/lake-home.ts'
import { openRemoteStores } from '../flow/remote-stores.ts'
import { type TablePlaces, tablePlaces } from '../flow/table-places.ts'
import type { LogReader } from '../log/log.ts'
import { systemClock, systemRandomness } from '../model/clock.ts'
import { type ComputeEngine, openComputeEngine } from '../sql/duckdb/engine.ts'
import type { RunDatabase } from '../state/run-database.ts'
import { openStateStore, type StateStore } from '../state/state-store.ts'
import { checkHomeVersion, type Home, homeAt } from './home.ts'
import { lakePlace, remoteAccess } from './lake-place.ts'
import { openLogReader } from './open-log.ts'
import { openSharedRuns } from './open-run-database.ts'
import type { Settings } from './settings.ts'

/**
 * A home for looking only: no lock is taken and nothing in it changes, so it works while a platform runs there
 * and while none does. Only what a lake in a bucket is read through, the cache, is filled. Each part is opened when it is first asked for, and everything is closed together.
 */
export interface HomeReader {
  readonly home: Home
  readonly settings: Settings
  readonly lake: LakeCatalog
  /** Tables of the lake by name, and any by path, relative to `cwd`. */
  places(cwd: string): TablePlaces
  /** What the lake's tables are made of, on `engine`. */
  lakeHome(): Promise<LakeHome>
  /** `undefined` when nothing was ever appended here. */
  log(): Promise<LogReader | undefined>
  /** `undefined` when the platform never ran here and no key was made. */
  state(): Promise<StateStore | undefined>
  /** Where runs are kept; `undefined` when there were none yet. */
  runDatabase(): Promise<RunDatabase | undefined>
  /** A compute engine of this process, spilling outside the home. */
  engine(): Promise<ComputeEngine>
  close(): Promise<void>
}

export interface HomeReaderOptions {
  readonly homeFolder: string
  readonly settings: Settings
}

/** @throws HomeVersionError */
export function openHomeReader({ homeFolder, settings }: HomeReaderOptions): HomeReader {
  const home = homeAt(homeFolder)
  checkHomeVersion(home)
  const closers: (() => Promise<unknown> | unknown)[] = []
  const log = once(async () => {
    const reader = await openLogReader({ home, settings })
    if (reader !== undefined) closers.push(() => reader.close())
    return reader
  })
  const state = once(async () => {
    if (!existsSync(home.state)) return undefined
    const store = await openStateStore({ file: home.state, clock: systemClock, readOnly: true })
    closers.push(() => store.close())
    return store
  })
  const runDatabase = once(async () => {
    if (settings.runs === 'embedded') return (await state())?.runDatabase()
    const shared = await openSharedRuns(settings)
    closers.push(() => shared.close())
    return shared
  })
  const engine = once(async () => {
    // Not the home's own spill folder: whoever holds the lock empties that one.
    const spill = await mkdtemp(path.join(tmpdir(), 'mekong-spill-'))
    closers.push(() => rm(spill, { recursive: true, force: true }))
    const opened = await openComputeEngine({
      spillDirectory: spill,
      memoryLimitBytes: settings.memoryMb * 1024 * 1024,
    })
    closers.push(() => opened.close())
    return opened
  })
  const place = lakePlace(home, settings)
  const access = remoteAccess(home, settings)
  const remoteStores = once(async () => {
    const opened = openRemoteStores(access.cache)
    closers.push(() => opened.close())
    const reading = await engine()
    reading.readRemote(opened)
    return opened
  })
  const lakeHome = once(async () => {
    const opened = await openLakeHome({
      ...place,
      ...(place.remote === undefined ? {} : { isReader: true, stores: await remoteStores() }),
      engine: await engine(),
      clock: systemClock,
      randomness: systemRandomness,
    })
    closers.push(() => opened.close())
    return opened
  })
  const lake = lakeCatalog({ ...place, home: lakeHome })
  return {
    ...{ home, settings, log, state, runDatabase, engine, lake, lakeHome },
    places(cwd) {
      const world = { clock: systemClock, randomness: systemRandomness }
      const remote = { access, stores: remoteStores }
      const places = tablePlaces({ lake, paths: { cwd, engine, remote, ...world } })
      closers.push(() => places.close())
      return places
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined
  return () => {
    opened ??= open()
    return opened
  }
}
