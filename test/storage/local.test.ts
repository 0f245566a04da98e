import { chmod, chown, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { ObjectStore } from '../../src/model/object-store.ts'
import { openLocalStore } from '../../src/storage/local.ts'
import { objectStoreSuite } from '../conformance/object-store.ts'

const folders: string[] = []
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-local-'))
  folders.push(folder)
  return folder
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

objectStoreSuite('local', async () => openLocalStore({ folder: await newFolder() }))

/** The user without rights on every Unix. */
const NOBODY = 65_534

describe('the local store', () => {
  test('locates objects where other programs find them', async () => {
    const folder = await newFolder()
    const store = await openLocalStore({ folder })
    await store.put('a/b c', new Uint8Array([1]))
    expect(store.locate('a/b c')).toBe(path.join(folder, 'a', 'b c'))
    expect(store.rootUrl).toBe(`${pathToFileURL(folder).href}/`)
    expect(await readdir(path.join(folder, 'a'))).toEqual(['b c'])
  })

  test('leaves no temporary files behind, and sweeps old ones of the dead', async () => {
    const folder = await newFolder()
    const store = await openLocalStore({ folder })
    await store.put('a', new Uint8Array(10))
    await store.putIfAbsent('a', new Uint8Array(10))
    const temporaries = path.join(folder, '.mekong-tmp')
    expect(await readdir(temporaries)).toEqual([])
    await writeFile(path.join(temporaries, 'old'), 'x')
    await writeFile(path.join(temporaries, 'young'), 'x')
    await utimes(path.join(temporaries, 'old'), new Date(0), new Date(0))
    await openLocalStore({ folder })
    expect(await readdir(temporaries)).toEqual(['young'])
    expect(await firstKeys(store)).toEqual(['a'])
  })

  test('does not show the temporary files of a store below', async () => {
    const folder = await newFolder()
    const below = await openLocalStore({ folder: path.join(folder, 'lake') })
    await writeFile(path.join(folder, 'lake', '.mekong-tmp', 'half'), 'x')
    await below.put('t', new Uint8Array(1))
    expect(await firstKeys(await openLocalStore({ folder }))).toEqual(['lake/t'])
  })

  test('makes a folder again that somebody removed', async () => {
    const folder = await newFolder()
    const store = await openLocalStore({ folder })
    await store.putIfAbsent('t/log/0', new Uint8Array(1))
    await rm(path.join(folder, 't'), { recursive: true })
    expect(await store.putIfAbsent('t/log/0', new Uint8Array(1))).toEqual({ status: 'created' })
    await rm(path.join(folder, 't'), { recursive: true })
    await store.put('t/log/1', new Uint8Array(1))
    expect(await firstKeys(store)).toEqual(['t/log/1'])
  })

  test('two processes with the same folder race fairly', async () => {
    const folder = await newFolder()
    const stores = await Promise.all([1, 2, 3].map(() => openLocalStore({ folder })))
    for (let round = 0; round < 20; round += 1) {
      const outcomes = await Promise.all(
        stores.map((store, index) => store.putIfAbsent(`r/${round}`, new Uint8Array([index]))),
      )
      const winner = outcomes.findIndex((outcome) => outcome.status === 'created')
      expect(outcomes.filter((outcome) => outcome.status === 'created')).toHaveLength(1)
      expect((await stores[0]!.get(`r/${round}`))[0]).toBe(winner)
    }
  })

  test('says when it may not write', async () => {
    const folder = await newFolder()
    const store = await openLocalStore({ folder })
    await mkdir(path.join(folder, 'locked'))
    await chmod(path.join(folder, 'locked'), 0o500)
    // Root may write everywhere, so while it asks it is nobody.
    const isRoot = process.geteuid?.() === 0
    if (isRoot) await chown(path.join(folder, 'locked'), NOBODY, NOBODY)
    if (isRoot) await chmod(folder, 0o755)
    if (isRoot) process.seteuid!(NOBODY)
    try {
      await expect(store.put('locked/a', new Uint8Array(1))).rejects.toMatchObject({
        code: 'STORAGE_DENIED',
        retry: 'never',
      })
    } finally {
      if (isRoot) process.seteuid!(0)
    }
  })
})

async function firstKeys(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const info of store.list({ prefix: '' })) keys.push(info.key)
  return keys
}
