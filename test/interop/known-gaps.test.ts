import { afterAll, beforeAll, describe, test } from 'vitest'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import type { Columns } from '../../src/model/column.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

// What is known to be wrong, found by the random tests beside this one. Each is expected to fail, and says here when it no
// longer does; the random tests step around it where they name this file.

describe('known gaps', () => {
  let workshop: Workshop
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(() => workshop?.close())

  // DuckDB makes folder names of partition values and wants text for them; bytes that are no UTF-8 end the append. Identity
  // and truncate of binary columns are concerned, when the rows belong to more than one partition.
  test.fails('an Iceberg table is split by bytes that are no text', async () => {
    const columns: Columns = [{ name: 'b', type: 'binary', nullable: true }]
    await createIcebergTable(workshop.deps, 'bytes', {
      columns,
      partitionBy: [{ column: 'b', transform: 'truncate[5]' }],
    })
    const table = await openIcebergTable(workshop.deps, 'bytes')
    const rows = await workshop.relation(
      `SELECT unnest([unhex('00FF'), unhex('61')]) AS b`,
      columns,
    )
    await table.prepareAppend(rows)
  })

  // The same folder names, percent-encoded, may have 255 bytes: about 40 letters beyond ASCII. The error is one that is
  // tried again later, though it will not pass. Delta and Iceberg are both concerned.
  test.fails('a table is split by long text', async () => {
    const columns: Columns = [{ name: 't', type: 'string', nullable: true }]
    await createIcebergTable(workshop.deps, 'long', { columns, partitionBy: [{ column: 't' }] })
    const table = await openIcebergTable(workshop.deps, 'long')
    const text = `SELECT unnest([repeat('é', 60), 'a']) AS t`
    await table.prepareAppend(await workshop.relation(text, columns))
  })
})
