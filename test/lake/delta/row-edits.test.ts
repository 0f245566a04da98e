import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import { rowEditsSuite, withInterruption } from '../row-edits.suite.ts'
import { openTestLake } from './lake-for-tests.ts'

const VECTORS = { 'delta.enableDeletionVectors': 'true' }

rowEditsSuite({
  kinds: [
    { name: 'copy-on-write', marks: false, options: {} },
    { name: 'copy-on-write, partitioned', marks: false, options: { partitionBy: ['g'] } },
    { name: 'merge-on-read', marks: true, options: { properties: VECTORS } },
    {
      name: 'merge-on-read, partitioned',
      marks: true,
      options: { properties: VECTORS, partitionBy: ['g'] },
    },
  ],
  moreProperties: [
    { 'delta.checkpointInterval': '3' },
    { 'delta.checkpointInterval': '3', 'delta.enableChangeDataFeed': 'true' },
  ],
  open: async () => {
    const lake = await openTestLake()
    return {
      ...lake,
      again: ({ location }, ...changes) =>
        openDeltaTable(
          { ...lake.deps, ports: withInterruption(lake.deps.ports, ...changes) },
          location,
        ),
    }
  },
})
