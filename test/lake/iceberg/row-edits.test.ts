import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { rowEditsSuite, withInterruption } from '../row-edits.suite.ts'
import { openTestLake } from './lake-for-tests.ts'

const MARKS = Object.fromEntries(
  ['delete', 'update', 'merge'].map((word) => [`write.${word}.mode`, 'merge-on-read']),
)

rowEditsSuite({
  kinds: [
    { name: 'copy-on-write', marks: false, options: {} },
    { name: 'copy-on-write, partitioned', marks: false, options: { partitionBy: ['g'] } },
    { name: 'merge-on-read', marks: true, options: { properties: MARKS } },
    {
      name: 'merge-on-read, partitioned',
      marks: true,
      options: {
        properties: { ...MARKS, 'write.delete.granularity': 'partition' },
        partitionBy: ['g'],
      },
    },
  ],
  moreProperties: [{}, { 'commit.manifest.min-count-to-merge': '2' }],
  open: async () => {
    const lake = await openTestLake()
    return {
      ...lake,
      table: ({ partitionBy = [], ...options }) =>
        lake.table({ ...options, partitionBy: partitionBy.map((column) => ({ column })) }),
      again: ({ name }, ...changes) =>
        openIcebergTable(
          { ...lake.deps, ports: withInterruption(lake.deps.ports, ...changes) },
          name,
        ),
    }
  },
})
