import { describe, expect, test } from 'vitest'
import { type LogFile, parseLogFile } from '../../../src/lake/delta/log-files.ts'
import { selectSegment } from '../../../src/lake/delta/log-segment.ts'

const v = (version: number) => String(version).padStart(20, '0')
const part = (n: number) => String(n).padStart(10, '0')
const UUID = '80a083e8-7026-4e79-81be-64bd76c43a11'

const files = (...names: string[]): LogFile[] =>
  names.map(parseLogFile).filter((file) => file !== undefined)

function select(names: string[], version?: number) {
  const segment = selectSegment({
    files: files(...names),
    table: 't',
    ...(version === undefined ? {} : { version }),
  })
  return {
    version: segment.version,
    checkpoint: segment.checkpoint?.names ?? [],
    commits: segment.commits.map((file) => file.name),
  }
}

const commits = (...versions: number[]) => versions.map((version) => `${v(version)}.json`)

describe('names in the log folder', () => {
  test.each([
    [`${v(7)}.json`, { kind: 'commit', version: 7 }],
    [`${v(7)}.checkpoint.parquet`, { kind: 'checkpoint', version: 7 }],
    [`${v(7)}.checkpoint.${UUID}.json`, { kind: 'checkpoint', version: 7 }],
    [`${v(7)}.checkpoint.${UUID}.parquet`, { kind: 'checkpoint', version: 7 }],
    [`${v(7)}.checkpoint.${part(2)}.${part(3)}.parquet`, { part: 2, partCount: 3 }],
    [`${v(4)}.${v(6)}.compacted.json`, { kind: 'compaction', version: 4, versionEnd: 6 }],
  ])('%s', (name, wanted) => expect(parseLogFile(name)).toMatchObject(wanted))

  test.each([
    `${v(7)}.crc`,
    '_last_checkpoint',
    '7.json',
    `${v(7)}.json.tmp`,
    `.${v(7)}.json`,
    `${v(7)}.${UUID}.json`,
    `${v(6)}.${v(4)}.compacted.json`,
  ])('%s means nothing', (name) => expect(parseLogFile(name)).toBeUndefined())
})

describe('what to read for a snapshot', () => {
  test('all commits, when there is no checkpoint', () => {
    expect(select(commits(2, 0, 1))).toEqual({
      version: 2,
      checkpoint: [],
      commits: commits(0, 1, 2),
    })
    expect(select(commits(0, 1, 2), 1)).toEqual({
      version: 1,
      checkpoint: [],
      commits: commits(0, 1),
    })
  })

  test('the newest checkpoint at or before, then what came after', () => {
    const names = [
      ...commits(0, 1, 2, 3, 4),
      `${v(1)}.checkpoint.parquet`,
      `${v(3)}.checkpoint.parquet`,
    ]
    expect(select(names)).toMatchObject({
      checkpoint: [`${v(3)}.checkpoint.parquet`],
      commits: commits(4),
    })
    expect(select(names, 2)).toMatchObject({
      checkpoint: [`${v(1)}.checkpoint.parquet`],
      commits: commits(2),
    })
    expect(select(names, 0)).toMatchObject({ checkpoint: [], commits: commits(0) })
    expect(select([`${v(3)}.checkpoint.parquet`])).toMatchObject({ version: 3, commits: [] })
  })

  test('a checkpoint in parts only with all of them', () => {
    const parts = [1, 2, 3].map((n) => `${v(2)}.checkpoint.${part(n)}.${part(3)}.parquet`)
    expect(select([...commits(0, 1, 2), ...parts.toReversed()])).toMatchObject({
      checkpoint: parts,
    })
    const other = `${v(2)}.checkpoint.${part(1)}.${part(2)}.parquet`
    expect(select([...commits(0, 1, 2), ...parts.slice(1), other])).toMatchObject({
      checkpoint: [],
      commits: commits(0, 1, 2),
    })
  })

  test('log compactions where they fit', () => {
    const compacted = (a: number, b: number) => `${v(a)}.${v(b)}.compacted.json`
    const names = [...commits(0, 1, 2, 3, 4, 5), compacted(1, 3), compacted(1, 4), compacted(2, 9)]
    expect(select(names).commits).toEqual([`${v(0)}.json`, compacted(1, 4), `${v(5)}.json`])
    expect(select(names, 3).commits).toEqual([`${v(0)}.json`, compacted(1, 3)])
    expect(select(names, 2).commits).toEqual(commits(0, 1, 2))
    expect(select([...names, `${v(2)}.checkpoint.parquet`]).commits).toEqual(commits(3, 4, 5))
  })

  test.each([
    [[], undefined, 'TABLE_MISSING'],
    [commits(0, 2), undefined, 'TABLE_BROKEN'],
    [commits(0, 1), 2, 'SNAPSHOT_MISSING'],
    [commits(3, 4), undefined, 'SNAPSHOT_MISSING'],
    [[...commits(3, 4, 5), `${v(4)}.checkpoint.parquet`], 3, 'SNAPSHOT_MISSING'],
    [[...commits(4, 6), `${v(4)}.checkpoint.parquet`], undefined, 'TABLE_BROKEN'],
  ])('%j at %s is %s', (names, version, code) => {
    expect(() => select(names, version)).toThrow(expect.objectContaining({ code }))
  })
})
