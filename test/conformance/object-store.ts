import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ListOptions, ObjectStore } from '../../src/model/object-store.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (data: Uint8Array) => new TextDecoder().decode(data)

async function keys(store: ObjectStore, options: ListOptions): Promise<string[]> {
  const found: string[] = []
  for await (const info of store.list(options)) found.push(info.key)
  return found
}

/** What every object store promises. `open` gives a fresh, empty store. */
export function objectStoreSuite(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name} keeps the object store's contract`, () => {
    let store: ObjectStore
    let folder: string
    beforeAll(async () => {
      store = await open()
      folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-store-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    test('gives back what was put, whole and in parts', async () => {
      await store.put('get/a', bytes('0123456789'))
      expect(text(await store.get('get/a'))).toBe('0123456789')
      expect(text(await store.getRange('get/a', { start: 2, end: 5 }))).toBe('234')
      expect(text(await store.getRange('get/a', { start: 8, end: 50 }))).toBe('89')
      expect(text(await store.getRange('get/a', { start: 50, end: 60 }))).toBe('')
      await store.put('get/empty', bytes(''))
      expect(await store.get('get/empty')).toHaveLength(0)
    })

    test('what was put does not change when the caller reuses its buffer', async () => {
      const data = bytes('mine')
      await store.put('own', data)
      data.fill(0)
      const answer = await store.get('own')
      expect(text(answer)).toBe('mine')
      answer.fill(0)
      expect(text(await store.get('own'))).toBe('mine')
    })

    test('a missing object is told apart by code', async () => {
      await store.put('missing/there', bytes('x'))
      for (const key of ['nowhere', 'missing/there/below', 'missing']) {
        await expect(store.get(key)).rejects.toMatchObject({ code: 'OBJECT_MISSING', key })
        await expect(store.getRange(key, { start: 0, end: 1 })).rejects.toMatchObject({
          code: 'OBJECT_MISSING',
        })
        expect(await store.head(key)).toBeUndefined()
      }
    })

    test('put replaces, and head tells size and time', async () => {
      await store.put('replace', bytes('old and long'))
      await store.put('replace', bytes('new'))
      expect(text(await store.get('replace'))).toBe('new')
      const info = await store.head('replace')
      expect(info).toMatchObject({ key: 'replace', bytes: 3 })
      expect(Number.isInteger(info?.modifiedMs)).toBe(true)
    })

    test('put if absent lets the first win and keeps its bytes', async () => {
      expect(await store.putIfAbsent('once/1', bytes('first'))).toEqual({ status: 'created' })
      expect(await store.putIfAbsent('once/1', bytes('second'))).toEqual({ status: 'exists' })
      expect(text(await store.get('once/1'))).toBe('first')
    })

    test('of many that put at once exactly one wins, whole', async () => {
      const writers = Array.from({ length: 16 }, (_, index) => String(index).repeat(10_000))
      const outcomes = await Promise.all(
        writers.map((value) => store.putIfAbsent('race', bytes(value))),
      )
      const winners = writers.filter((_, index) => outcomes[index]!.status === 'created')
      expect(winners).toHaveLength(1)
      expect(text(await store.get('race'))).toBe(winners[0])
    })

    test('moves a local file in', async () => {
      const file = path.join(folder, 'data')
      await writeFile(file, 'from a file')
      await store.putFile('files/deep/er/data', file)
      expect(text(await store.get('files/deep/er/data'))).toBe('from a file')
      await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
    })

    test('names the folders right below a prefix', async () => {
      for (const key of ['in/b/1', 'in/b/2', 'in/a/deep/er', 'in/file', 'in/a-b/1'])
        await store.put(key, bytes(''))
      const folders = async (prefix: string) => {
        const names: string[] = []
        for await (const name of store.folders(prefix)) names.push(name)
        return names.sort()
      }
      expect(await folders('in/')).toEqual(['a', 'a-b', 'b'])
      expect(await folders('in/a/')).toEqual(['deep'])
      expect(await folders('in/a/deep/')).toEqual([])
      expect(await folders('never/')).toEqual([])
      expect(await folders('')).toContain('in')
    })

    test('removes, and removing nothing is fine', async () => {
      await store.put('gone/a', bytes('x'))
      await store.remove('gone/a')
      await store.remove('gone/a')
      await store.remove('gone/never/was')
      expect(await store.head('gone/a')).toBeUndefined()
      expect(await store.putIfAbsent('gone/a', bytes('again'))).toEqual({ status: 'created' })
    })

    test('lists in UTF-8 order, by prefix, after a key, and with a delimiter', async () => {
      const all = [
        'list/a',
        'list/a-b',
        'list/a/1',
        'list/a/2/x',
        'list/a0',
        'list/b',
        'list/z\u{FFFD}',
        'list/z\u{1F600}',
      ]
      for (const key of all.toReversed())
        await store.put(key.replace('list/a/', 'list/A/'), bytes(key))
      // 'A' sorts before 'a'; a folder sorts by its slash, which comes after '-' and before '0'.
      await store.put('list/c/1', bytes(''))
      await store.put('list/c-', bytes(''))
      await store.put('list/c0', bytes(''))
      const sorted = [
        'list/A/1',
        'list/A/2/x',
        'list/a',
        'list/a-b',
        'list/a0',
        'list/b',
        'list/c-',
        'list/c/1',
        'list/c0',
        'list/z\u{FFFD}',
        'list/z\u{1F600}',
      ]
      expect(await keys(store, { prefix: 'list/' })).toEqual(sorted)
      expect(await keys(store, { prefix: 'list/a' })).toEqual(['list/a', 'list/a-b', 'list/a0'])
      expect(await keys(store, { prefix: 'list/', startAfter: 'list/b' })).toEqual(sorted.slice(6))
      expect(await keys(store, { prefix: 'list/', startAfter: 'list/A/1' })).toEqual(
        sorted.slice(1),
      )
      expect(await keys(store, { prefix: 'list/', startAfter: 'list/A/2' })).toEqual(
        sorted.slice(1),
      )
      expect(await keys(store, { prefix: 'list/', delimiter: '/' })).toEqual(
        sorted.filter((key) => !key.slice(5).includes('/')),
      )
      expect(await keys(store, { prefix: 'list/A/', delimiter: '/' })).toEqual(['list/A/1'])
      expect(await keys(store, { prefix: 'none/' })).toEqual([])
    })

    test('lists sizes', async () => {
      await store.put('sizes/a', bytes('abc'))
      for await (const info of store.list({ prefix: 'sizes/' }))
        expect(info).toMatchObject({ key: 'sizes/a', bytes: 3 })
    })

    test('refuses keys that are not plain relative paths', async () => {
      const bad = ['', '/a', 'a/', 'a//b', '.', '../a', 'a/../b', 'a/./b', 'a\0b', '\ud800']
      for (const key of [...bad, 'x'.repeat(300), '.mekong-tmp/x']) {
        await expect(store.put(key, bytes('x'))).rejects.toMatchObject({
          code: 'OBJECT_KEY_INVALID',
        })
        await expect(store.get(key)).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
      }
    })

    test('keeps odd but legal names apart', async () => {
      const odd = [
        'odd/a b',
        'odd/a%20b',
        'odd/ä',
        'odd/a\u0308',
        'odd/\'q"',
        'odd/*?[x]',
        'odd/#h',
      ]
      for (const key of odd) await store.put(key, bytes(key))
      for (const key of odd) expect(text(await store.get(key))).toBe(key)
      expect((await keys(store, { prefix: 'odd/' })).toSorted()).toEqual(odd.toSorted())
    })

    test('an aborted write leaves nothing', async () => {
      const signal = AbortSignal.abort()
      await expect(store.put('aborted', bytes('x'), signal)).rejects.toMatchObject({
        name: 'AbortError',
      })
      await expect(store.putIfAbsent('aborted', bytes('x'), signal)).rejects.toMatchObject({
        name: 'AbortError',
      })
      expect(await store.head('aborted')).toBeUndefined()
    })
  })
}
