import { mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { ComputeEngine } from '../../src/sql/duckdb/engine.ts'
import { quoteText } from '../../src/sql/duckdb/quote-identifier.ts'

export interface ContentFiles {
  readonly folder: string
  readonly days: number
  /** Lines of one day. */
  readonly rowsPerDay: number
  readonly contracts: number
}

/**
 * Content logs in the shape of the original's: about 1.2 lines a contract and day, 1.9 million contracts for 48 million lines, and a little of
 * everything that is wrong with them. Made by DuckDB, because a simulator in TypeScript would take longer than what is measured.
 */
export async function writeContentFiles(
  engine: ComputeEngine,
  { folder, days, rowsPerDay, contracts }: ContentFiles,
  firstDay = 1,
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const connection = await engine.connection()
  try {
    for (let day = firstDay; day < firstDay + days; day += 1) {
      const name = new Date(Date.UTC(2022, 3, day)).toISOString().slice(0, 10).replaceAll('-', '')
      await connection.run(
        `COPY (SELECT 'history' AS _index, lower(app) AS _type, 'AX_' || md5((i * 100 + ${day})::VARCHAR)[:20] AS _id, 0 AS _score,
          {'Contract': CASE WHEN d < 0.005 THEN '0' WHEN d < 0.01 THEN '113.182.' || (k % 256) || '.' || (k // 256 % 256) ELSE 'HNH' || lpad(k::VARCHAR, 7, '0') END,
           'Mac': upper(md5(k::VARCHAR)[:12]),
           'TotalDuration': CASE WHEN d > 0.9995 THEN -1 WHEN d > 0.999 THEN 90000 WHEN d > 0.997 THEN 86400 ELSE (hash(i + 7) % 20000)::INTEGER END,
           'AppName': CASE WHEN d > 0.99 AND d < 0.995 THEN 'RADIO' ELSE app END} AS _source
         FROM (SELECT i, (hash(i * 31 + ${day}) % ${contracts})::BIGINT AS k, (hash(i * 7 + ${day}) % 1000000) / 1000000.0 AS d,
            ['CHANNEL', 'CHANNEL', 'CHANNEL', 'KPLUS', 'VOD', 'VOD', 'FIMS', 'RELAX', 'CHILD', 'SPORT', 'DSHD'][1 + (hash(i + ${day}) % 11)::INTEGER] AS app
          FROM range(${rowsPerDay}) t(i))) TO ${quoteText(path.join(folder, `${name}.json`))} (FORMAT json)`,
      )
    }
  } finally {
    connection.close()
  }
}

export const contentPaths = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => path.join(folder, name))
    .sort()

export const bytesIn = (paths: readonly string[]): number =>
  paths.reduce((sum, file) => sum + statSync(file).size, 0)
