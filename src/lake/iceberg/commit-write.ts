import type { PreparedAppend } from './append.ts'
import type { CatalogEntry } from './catalog.ts'
import {
  type CommitOptions,
  type CommitOutcome,
  type Conflict,
  commitSnapshot,
  type StagedSnapshot,
} from './commit.ts'
import { mergeManifests, mergeOptions } from './manifest-merge.ts'
import { keptManifests, type Removal, removalChooser, stageReplacement } from './replace.ts'
import type { TableState } from './table-state.ts'
import { checkWritable } from './writable.ts'

/** Commit files that were written before, beside those that are there or in the place of some. */
export async function commitWrite(
  state: TableState,
  prepared: PreparedAppend | undefined,
  removal: Removal | undefined,
  { transactions = [], summary = {} }: CommitOptions = {},
  signal: AbortSignal | undefined,
): Promise<CommitOutcome> {
  const { tools, name } = state
  const before = await state.recent(signal)
  checkWritable(before.metadata, name)
  const snapshotId = prepared?.snapshotId ?? tools.newSnapshotId()
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    before,
    {
      snapshotId,
      transactions,
      summary,
      stage: async (entry, parent): Promise<StagedSnapshot | Conflict> => {
        const misfit = prepared === undefined ? undefined : misfitOf(prepared, entry)
        if (misfit !== undefined) return misfit
        const added = prepared?.files ?? []
        const manifests = prepared?.manifest === undefined ? [] : [prepared.manifest]
        if (removal !== undefined) {
          const chooser = removalChooser(entry, removal)
          return stageReplacement(tools, entry, parent, { snapshotId, chooser, added, manifests })
        }
        // A fast append: one manifest in front of those that were there.
        const kept = await keptManifests(tools, entry, parent)
        const options = mergeOptions(entry.metadata)
        const merged = await mergeManifests(tools, entry, kept, options, snapshotId)
        return {
          manifests: [...manifests, ...merged],
          changes: { operation: 'append', added, removed: [] },
        }
      },
    },
    signal,
  )
  state.remember(entry)
  return outcome
}

/** Whether files written for one state of the table fit another. */
function misfitOf(prepared: PreparedAppend, { metadata }: CatalogEntry): Conflict | undefined {
  const isSame =
    prepared.tableId === metadata['table-uuid'] &&
    prepared.schemaId === metadata['current-schema-id'] &&
    prepared.specId === metadata['default-spec-id']
  if (isSame) return undefined
  return {
    reason: 'metadata_changed',
    message: 'the schema or partitioning changed after the files were written',
  }
}
