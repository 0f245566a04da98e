import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import type { ObjectStore } from '../../src/model/object-store.ts'
import { type ObjectCache, openObjectCache } from '../../src/storage/cache/object-cache.ts'
import { throughCache } from '../../src/storage/cache/through-cache.ts'
import { memoryStore } from '../../src/storage/memory.ts'

// Objects of a remote store as local files: what is borrowed stays readable, room is kept, and bytes are those of the store.

const folders: string[] = []
const caches: ObjectCache[] = []
afterEach(() => {
  for (const cache of caches.splice(0)) cache.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const newFolder = () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-cache-'))
  folders.push(folder)
  return folder
}
const openIn = (folder: string, bytesMax = 10_000_000) => {
  const cache = openObjectCache({ folder, bytesMax })
  caches.push(cache)
  return cache
}
const objectsIn = (folder: string) => readdirSync(path.join(folder, 'objects'))

const partialIn = (folder: string) =>
  readdirSync(path.join(folder, 'leases'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('partial-'),
  )

/** A store that counts what is read of it. */
function counted() {
  const store = memoryStore({ clock: systemClock })
  const reads: string[] = []
  const counting: ObjectStore = Object.assign(Object.create(store), {
    rootUrl: store.rootUrl,
    getRange: (key: string, range: { start: number; end: number }) => {
      reads.push(`${key} ${range.start}-${range.end}`)
      return store.getRange(key, range)
    },
    head: (key: string) => {
      reads.push(`head ${key}`)
      return store.head(key)
    },
    putFile: (key: string, file: string) => store.putFile(key, file),
  })
  return { store: counting, inside: store, reads }
}

const lasting = () => `table/part-${randomUUID()}.parquet`
const whole = (store: ObjectStore, key: string) => ({ store, key, part: 'whole' }) as const

describe('a cache of objects', () => {
  test('fetches once, for any number of borrowers and processes, and gives the bytes', async () => {
    const folder = newFolder()
    const { store, inside, reads } = counted()
    const key = lasting()
    await inside.put(key, Buffer.from('of the store'))
    const cache = openIn(folder)
    const both = await Promise.all([
      cache.borrow([whole(store, key), whole(store, key)]),
      cache.borrow([whole(store, key)]),
    ])
    const paths = both.flatMap((borrowed) => borrowed.paths)
    expect(paths.map((file) => readFileSync(file, 'utf8'))).toEqual(Array(3).fill('of the store'))
    await Promise.all(both.map((borrowed) => borrowed.release()))
    expect(paths.filter((file) => existsSync(file))).toEqual([])

    const other = await openIn(folder).borrow([whole(store, key)])
    expect(readFileSync(other.paths[0]!, 'utf8')).toBe('of the store')
    expect(reads).toEqual([`head ${key}`, `${key} 0-12`])
  })

  test('asks again for names that may come twice, and fetches what changed', async () => {
    const { store, inside } = counted()
    const key = 'table/_delta_log/00000000000000000010.checkpoint.parquet'
    const cache = openIn(newFolder())
    const seen: string[] = []
    for (const text of ['one table', 'another!', 'another!']) {
      await inside.put(key, Buffer.from(text))
      const borrowed = await cache.borrow([whole(store, key)])
      seen.push(readFileSync(borrowed.paths[0]!, 'utf8'))
      await borrowed.release()
    }
    expect(seen).toEqual(['one table', 'another!', 'another!'])
    await inside.remove(key)
    await expect(cache.borrow([whole(store, key)])).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
    })
  })

  test('keeps within its limit by forgetting what was used longest ago, never what is in use', async () => {
    const folder = newFolder()
    const { store, inside } = counted()
    const keys = Array.from({ length: 6 }, lasting)
    // Bytes that no file system packs away.
    for (const key of keys) await inside.put(key, Buffer.alloc(40_960, key))
    const cache = openIn(folder, 3 * 40_960)
    const first = await cache.borrow([whole(store, keys[0]!)])
    for (const key of keys.slice(1)) await (await cache.borrow([whole(store, key)])).release()
    expect(objectsIn(folder).length).toBeLessThanOrEqual(3)
    expect(readFileSync(first.paths[0]!)).toEqual(Buffer.alloc(40_960, keys[0]!))
    await first.release()
  })

  test('refuses what can never fit, and what does not fit beside others, and goes on', async () => {
    const folder = newFolder()
    const { store, inside } = counted()
    const keys = Array.from({ length: 3 }, lasting)
    for (const key of keys) await inside.put(key, Buffer.alloc(40_960, key))
    const cache = openIn(folder, 2 * 40_960 + 8_192)
    await inside.put('huge', Buffer.alloc(200_000, 'x'))
    await expect(cache.borrow([whole(store, 'huge')])).rejects.toMatchObject({
      code: 'OBJECT_CACHE_FULL',
    })
    await expect(cache.borrow(keys.map((key) => whole(store, key)))).rejects.toMatchObject({
      code: 'OBJECT_CACHE_FULL',
    })
    const again = await cache.borrow(keys.slice(1).map((key) => whole(store, key)))
    expect(again.paths.map((file) => readFileSync(file).length)).toEqual([40_960, 40_960])
    expect(partialIn(folder)).toEqual([])
  })

  test('brings of a Parquet file only its end when only its footer is read', async () => {
    const { store, inside, reads } = counted()
    const key = lasting()
    const footer = Buffer.alloc(100, 'f')
    const length = Buffer.alloc(4)
    length.writeUInt32LE(footer.length)
    const file = Buffer.concat([Buffer.alloc(5_000_000, 'd'), footer, length, Buffer.from('PAR1')])
    await inside.put(key, file)
    const cache = openIn(newFolder(), 1_000_000)
    const borrowed = await cache.borrow([{ store, key, part: 'tail' }])
    const local = readFileSync(borrowed.paths[0]!)
    expect(local.length).toBe(file.length)
    expect(local.subarray(-108).equals(file.subarray(-108))).toBe(true)
    expect(reads).toEqual([`head ${key}`, `${key} ${file.length - 65_536}-${file.length}`])
    await inside.put(lasting(), Buffer.from('no Parquet'))
    const none = lasting()
    await inside.put(none, Buffer.from('no Parquet'))
    await expect(cache.borrow([{ store, key: none, part: 'tail' }])).rejects.toMatchObject({
      code: 'STORAGE_IO',
    })
  })

  test('does not keep what came short, and clears away what processes left that are gone', async () => {
    const folder = newFolder()
    const { store, inside } = counted()
    const key = lasting()
    await inside.put(key, Buffer.from('0123456789'))
    const short: ObjectStore = Object.assign(Object.create(store), {
      getRange: async () => Buffer.from('0123'),
    })
    const cache = openIn(folder)
    await expect(cache.borrow([whole(short, key)])).rejects.toMatchObject({ code: 'STORAGE_IO' })
    expect(objectsIn(folder)).toEqual([])

    // The id of a process that has ended.
    const gone = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }))
    const left = path.join(folder, 'leases', `${hostname().replaceAll('_', '-')}_${gone}_x`)
    mkdirSync(left)
    writeFileSync(path.join(left, '1-part.parquet'), 'x')
    const mine = await cache.borrow([whole(store, key)])
    openIn(folder)
    expect(existsSync(left)).toBe(false)
    expect(readFileSync(mine.paths[0]!, 'utf8')).toBe('0123456789')
  })

  test('has files that were just written, unless nobody knows whether they arrived', async () => {
    const folder = newFolder()
    const { store, inside, reads } = counted()
    const cache = openIn(folder)
    const writing = throughCache(store, cache)
    const staged = path.join(folder, 'staged')
    writeFileSync(staged, 'new rows')
    const key = lasting()
    await writing.putFile(key, staged)
    const borrowed = await cache.borrow([whole(store, key)])
    expect(readFileSync(borrowed.paths[0]!, 'utf8')).toBe('new rows')
    expect(Buffer.from(await inside.get(key)).toString()).toBe('new rows')
    expect(reads).toEqual([])

    const lost = throughCache(
      Object.assign(Object.create(store), { putFile: () => Promise.reject(new Error('lost')) }),
      cache,
    )
    writeFileSync(staged, 'perhaps')
    await expect(lost.putFile(lasting(), staged)).rejects.toThrow('lost')
    expect(objectsIn(folder)).toHaveLength(1)
    expect(partialIn(folder)).toEqual([])
  })
})
