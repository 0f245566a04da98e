import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { simulator } from '../../pipelines/ott/simulator.ts'
import { openOttHome } from '../pipelines/ott/ott-home.ts'
import { ensureToolset } from '../services.ts'

// The content profile against somebody else's arithmetic: PySpark, on the same files.

const COLUMNS = [
  ...['Contract', 'Truyen Hinh', 'Phim Truyen', 'Giai Tri', 'Thieu Nhi', 'The Thao'],
  ...['Active', 'MostWatch', 'Taste'],
]
const PROFILE = `SELECT ${COLUMNS.map((name) => `"${name}"`).join(', ')} FROM gold.customer_content_stats ORDER BY 1`

test('row for row what PySpark makes of a month with all its dirt', {
  timeout: 300_000,
}, async () => {
  const tools = await ensureToolset('spark')
  if ('skip' in tools) return
  await using home = await openOttHome()
  const content = [...simulator.files!({ seed: 11, eventCount: 20_000, nowMs: 0 })]
  const paths = await home.write(content.filter(({ path: at }) => at.startsWith('log_content/')))
  await home.load(paths)
  await home.run()
  const out = path.join(home.folder, 'spark')
  const program = path.resolve(import.meta.dirname, '../../bench/ott/profile_spark.py')
  await promisify(execFile)(
    tools.environment.MEKONG_SPARK_PYTHON!,
    [program, path.dirname(paths[0]!), out],
    {
      env: { ...process.env, ...tools.environment },
    },
  )
  const theirs = readdirSync(out)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readFileSync(path.join(out, name), 'utf8').split('\n').filter(Boolean))
    .map((text) => JSON.parse(text) as Record<string, unknown>)
    .map((row) => COLUMNS.map((name) => row[name] ?? null))
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
  expect(theirs.length).toBeGreaterThan(300)
  expect(await home.rows(PROFILE)).toEqual(theirs)
})
