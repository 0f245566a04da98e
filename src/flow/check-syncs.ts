import type { PipelinePlan } from '../pipeline/plan.ts'
import { type CollectionCheck, checkSource, repairSource } from './sync-check.ts'
import { type SyncTaskWorld, syncTaskId, syncWorld } from './sync-tasks.ts'

/** How one sync's target compares with one of its tables. */
export interface SourceCheck {
  /** `sync/<pipeline>/<sync>` */
  readonly sync: string
  readonly table: string
  /**
   * `equal`, or `different`: see the collections; `repaired`: was different. `behind`: changes wait to be sent, and what was sent is
   * equal. `new`: nothing was ever sent. `off`: this machine has no engine for it.
   */
  readonly status: 'equal' | 'different' | 'repaired' | 'behind' | 'new' | 'off'
  /** Commits of the table that were not sent yet. */
  readonly behind: number
  readonly collections: readonly CollectionCheck[]
  /** Items that were put and removed. */
  readonly mended: number
}

export interface CheckSyncsOptions {
  /** `catalog` or `catalog/graph`. Default: every sync. */
  readonly only?: string | undefined
  readonly repair: boolean
  readonly signal: AbortSignal
}

/** Compare every target with its tables, as of the version that it was last brought to. Not while the same sync runs. */
export async function checkSyncs(
  world: SyncTaskWorld,
  plans: readonly PipelinePlan[],
  { only, repair, signal }: CheckSyncsOptions,
): Promise<readonly SourceCheck[]> {
  const checks: SourceCheck[] = []
  for (const { name, syncs } of plans) {
    for (const sync of syncs) {
      if (only !== undefined && only !== name && only !== `${name}/${sync.name}`) continue
      const found = await world.targets.target(name, sync)
      const facts = { sync: syncTaskId(name, sync.name), behind: 0, collections: [], mended: 0 }
      if (found.status === 'off') {
        checks.push(...sync.from.map(({ table }) => ({ ...facts, table, status: 'off' as const })))
        continue
      }
      const { target } = found
      await target.open(signal)
      for (const source of sync.from) {
        const { table: tableName } = source
        const table = await syncWorld(world).openTable(tableName)
        const cursor = await target.cursor(tableName)
        if (table === undefined || cursor === undefined || cursor.version < 0) {
          checks.push({ ...facts, table: tableName, status: 'new' })
          continue
        }
        const context = { engine: world.engine, table, target, source }
        const at = { version: cursor.version, signal }
        const collections = await checkSource(context, at)
        const differs = collections.some((c) => c.missing + c.surplus + c.different > 0)
        const behind = (await table.snapshot({}, signal)).version - cursor.version
        const mended = differs && repair ? await repairSource(context, at) : { put: 0, removed: 0 }
        checks.push({
          ...{ ...facts, table: tableName, behind, collections },
          mended: mended.put + mended.removed,
          status: differs ? (repair ? 'repaired' : 'different') : behind > 0 ? 'behind' : 'equal',
        })
      }
      await target.close()
    }
  }
  return checks
}
