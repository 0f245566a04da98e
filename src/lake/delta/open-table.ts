import type { DeltaDeps, TableLog } from './table-log.ts'
import type { WriteContext } from './write-files.ts'

/** A table at work: what its operations share. */
export interface OpenTable {
  readonly deps: DeltaDeps
  readonly log: TableLog
}

export function writeContext({ deps, log }: OpenTable): WriteContext {
  const { store, ports, clock } = deps
  return {
    store,
    stageFiles: ports.stageFiles,
    rows: ports.tableRows,
    scratch: ports.scratch,
    tableKey: log.context.tableKey,
    nowMs: clock.nowMs(),
    newId: log.newId,
  }
}
