import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { commitSnapshot } from '../../../src/lake/iceberg/commit.ts'
import { type IcebergDeps, icebergTools } from '../../../src/lake/iceberg/deps.ts'
import { putManifests } from '../../../src/lake/iceberg/edit-rows.ts'
import type { ContentFile } from '../../../src/lake/iceberg/manifest.ts'
import { keptManifests } from '../../../src/lake/iceberg/replace.ts'
import type { IcebergTable } from '../../../src/lake/iceberg/table.ts'

/** What Flink does, and we never do: a delete file with values, committed by itself. The table is not partitioned. */
export async function deleteRowsByValue(
  deps: IcebergDeps,
  { name, location }: IcebergTable,
  request: {
    /** A query for the values that are gone. */
    readonly values: string
    readonly fieldIds: Readonly<Record<string, number>>
    /** Runs a statement that writes a local file. */
    readonly run: (text: string) => Promise<unknown>
  },
): Promise<void> {
  const tools = icebergTools(deps)
  const entry = (await tools.catalog.load(name))!
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-by-value-'))
  const scratch = path.join(folder, 'equality.parquet')
  const ids = Object.entries(request.fieldIds).map(([column, id]) => `${column}: ${id}`)
  await request.run(
    `COPY (${request.values}) TO '${scratch}' (FORMAT parquet, FIELD_IDS {${ids.join(', ')}})`,
  )
  const key = `data/${tools.newId()}-equality.parquet`
  await tools.store.putFile(`${location}/${key}`, scratch)
  rmSync(folder, { recursive: true })
  const { bytes } = (await tools.store.head(`${location}/${key}`))!
  const file: ContentFile = {
    content: 'equality_deletes',
    path: `${entry.metadata.location}/${key}`,
    format: 'parquet',
    ...{ specId: 0, partition: [], recordCount: 1, bytes },
    equalityIds: Object.values(request.fieldIds),
  }
  const snapshotId = tools.newSnapshotId()
  const manifests = await putManifests(tools, entry, snapshotId, [file])
  const { outcome } = await commitSnapshot(tools, name, entry, {
    ...{ snapshotId, transactions: [], summary: {} },
    stage: async (newest, parent) => ({
      manifests: [...manifests, ...(await keptManifests(tools, newest, parent))],
      changes: { operation: 'delete', added: [file], removed: [] },
    }),
  })
  expect(outcome).toMatchObject({ status: 'committed' })
}
