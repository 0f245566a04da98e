import type { PipelinePlan } from './plan.ts'
import type { SyncPlan } from './sync.ts'

type Report = (where: string, what: string, fix: string) => void

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/

/** What is wrong with a sync as far as it can be told without its tables. */
export function checkSync(
  sync: SyncPlan,
  { models, tables }: Pick<PipelinePlan, 'models' | 'tables'>,
  report: Report,
): void {
  const where = `sync ${sync.name}`
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(sync.name))
    report(where, 'is no name', 'Use kebab-case, such as "graph"')
  if (sync.from.length === 0) report(where, 'follows no table', 'Name at least one in from')
  for (const name of [sync.target.name, ...sync.target.collections.map((c) => c.name)])
    if (!NAME.test(name))
      report(where, `"${name}" is no name in a store`, 'Use letters, digits and _')
  const known = [...models, ...tables].map(({ name }) => name)
  for (const source of sync.from) {
    const of = `${where} from ${source.table}`
    if (!known.includes(source.table))
      report(of, 'is no table of this pipeline', `There are ${known.join(', ')}`)
    const model = models.find(({ name }) => name === source.table)
    const followed = model ?? tables.find(({ name }) => name === source.table)
    // Cursors of targets are versions that count up; snapshots of Iceberg do not.
    if (followed !== undefined && followed.format !== 'delta')
      report(of, 'is not Delta', 'Follow a Delta table, such as a model that is made of it')
    else if (model !== undefined && model.properties['delta.enableChangeDataFeed'] !== 'true')
      report(
        of,
        'keeps no change feed',
        "Give the model properties: { 'delta.enableChangeDataFeed': 'true' }",
      )
    const columns = model?.columns?.map(({ name }) => name)
    const named = [source.key, source.version, ...(source.deleted ? [source.deleted] : [])]
    for (const name of [...named, ...source.reads, ...(source.watch ?? [])])
      if (columns !== undefined && !columns.includes(name))
        report(of, `names "${name}", which is no column of it`, `It has ${columns.join(', ')}`)
  }
}
