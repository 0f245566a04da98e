import type { Dashboard } from '../model/chart.ts'
import { type Columns, columnTypeText, sameColumnType } from '../model/column.ts'
import { RECORD_COLUMNS } from '../model/relation.ts'
import type { Field, FieldMap, RecordField } from '../model/schema.ts'
import { type CollectorPlan, checkCollectors } from './collector.ts'
import { checkDashboards } from './dashboard.ts'
import { checkDayFiles } from './day-files.ts'
import { PlanError, type PlanProblem } from './errors.ts'
import { checkLabel } from './label.ts'
import { checkLiveBlocks } from './live-blocks.ts'
import type { PipelinePlan, ServePlan, SimulatorPlan, TablePlan, TopicPlan } from './plan.ts'
import { checkPublish } from './publish.ts'
import { checkModel } from './validate-model.ts'
import { checkReferences } from './validate-references.ts'
import { checkSync } from './validate-sync.ts'
import { checkWork } from './validate-work.ts'

/** A plan before it was looked at: more than one simulator or collector is a mistake we still have to report. */
export interface DraftPlan extends Omit<PipelinePlan, 'simulator' | 'collector' | 'dashboard'> {
  readonly dashboards: readonly Dashboard[]
  readonly collectors: readonly CollectorPlan[]
  readonly simulators: readonly SimulatorPlan[]
}

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const TABLE_NAME = /^(bronze|silver|gold)\.[a-z][a-z0-9_]*$/
const COLUMN_NAME = /^[^\0"]{1,255}$/
const PARTITION_COUNT_MAX = 1024

/** The draft as a frozen plan. @throws PlanError with all that is wrong with it */
export function checkedPlan(draft: DraftPlan): PipelinePlan {
  const problems: PlanProblem[] = []
  const report = (where: string, what: string, fix: string) =>
    problems.push({ where: where === '' ? draft.name : `${draft.name} / ${where}`, what, fix })

  if (!KEBAB_CASE.test(draft.name)) {
    report('', `"${draft.name}" is no pipeline name`, 'Use kebab-case, such as "user-events"')
  }
  reportRepeats(draft, report)
  for (const topic of draft.topics) checkTopic(topic, report)
  for (const { path } of draft.ingests) {
    if (!/^\/[A-Za-z0-9/_-]+$/.test(path)) {
      report(`ingest ${path}`, 'is no path', 'Begin with / and use letters, digits, - and _')
    }
    if (/^\/(health|ready|metrics|docs|v1|api)(\/|$)/.test(path)) {
      report(`ingest ${path}`, "is one of the platform's own paths", 'Choose another one')
    }
  }
  for (const table of draft.tables) checkTable(table, report)
  for (const hop of [...draft.tables, ...draft.serves]) checkUnion(hop, draft.topics, report)
  for (const model of draft.models) checkModel(model, report)
  for (const serve of draft.serves) checkServe(serve, report)
  for (const sync of draft.syncs) checkSync(sync, draft, report)
  for (const { path } of draft.reads) {
    if (!path.startsWith(`/v1/${draft.name}/`) || !/^[A-Za-z0-9/:_-]+$/.test(path))
      report(`read ${path}`, 'is no path of this pipeline', `Begin with /v1/${draft.name}/`)
  }
  for (const loader of draft.loaders) {
    if (loader.format === 'csv' && loader.event === undefined)
      report(
        `load ${loader.description}`,
        'reads CSV and makes no event of a row',
        'Give it `event`',
      )
  }
  checkWork(draft, report)
  for (const publish of draft.publishes) checkPublish(publish, report)
  for (const label of draft.labels) checkLabel(label, report)
  for (const files of draft.files) {
    checkDayFiles(files, report)
    checkTableName(`files ${files.name}`, files.table, report)
    const names = files.columns.map(({ name }) => name)
    checkColumnNames(`files ${files.name}`, names, report)
  }
  checkReferences(draft, report)
  checkCollectors(draft.collectors, report)
  checkDashboards(draft.dashboards, report)
  checkLiveBlocks(draft, report)
  if (draft.simulators.length > 1) {
    report('simulate', 'is said more than once', 'Keep one simulator a pipeline')
  }
  if (problems.length > 0) throw new PlanError(problems)

  const { collectors, simulators, dashboards, ...rest } = draft
  const [collector] = collectors
  const [simulator] = simulators
  const [dashboard] = dashboards
  return deepFreeze({
    ...rest,
    ...(collector === undefined ? {} : { collector }),
    ...(simulator === undefined ? {} : { simulator }),
    ...(dashboard === undefined ? {} : { dashboard }),
  })
}

type Report = (where: string, what: string, fix: string) => void

function reportRepeats(draft: DraftPlan, report: Report): void {
  const named = [
    ...draft.topics.map(({ name }) => `topic ${name}`),
    ...draft.tables.map(({ name }) => `table ${name}`),
    ...draft.files.map(({ table }) => `table ${table}`),
    ...draft.references.map(({ history }) => `table ${history}`),
    ...draft.models.map(({ name }) => `table ${name}`),
    ...draft.files.map(({ name }) => `files ${name}`),
    ...draft.labels.map(({ name }) => `table ${name}`),
    ...draft.publishes.map(({ target }) => `publish ${target.table}`),
    ...draft.references.map(({ name }) => `reference ${name}`),
    ...draft.documents.map(({ collection }) => `documents ${collection.name}`),
    ...draft.collections.map(({ facts }) => `documents ${facts.name}`),
    ...draft.warehouses.map(({ name }) => `warehouse ${name}`),
    ...draft.warehouses.flatMap(({ tables }) =>
      tables.map(({ name }) => `warehouse table ${name}`),
    ),
    ...draft.aggregates.map(({ name }) => `aggregates ${name}`),
    ...draft.serves.map(({ name }) => `serve ${name}`),
    ...draft.syncs.map(({ name }) => `sync ${name}`),
    ...draft.reads.map(({ path }) => `read ${path}`),
    ...draft.plainTasks.map(({ name }) => `step ${name}`),
    ...draft.schedules.map(({ name }) => `schedule ${name}`),
    ...draft.maintenance.map(({ table }) => `maintain ${table}`),
    ...draft.ingests.map(({ path }) => `ingest ${path}`),
  ]
  for (const name of new Set(named.filter((name, index) => named.indexOf(name) !== index))) {
    report(name, 'is declared twice', 'Give each a name of its own')
  }
}

function checkTopic(topic: TopicPlan, report: Report): void {
  const where = `topic ${topic.name}`
  const fields = Object.keys(topic.schema.fields)
  const known = `Its fields are ${fields.join(', ')}`
  if (!KEBAB_CASE.test(topic.name)) {
    report(where, 'is no topic name', 'Use kebab-case, such as "user-events"')
  }
  if (
    !(
      Number.isInteger(topic.partitions) &&
      topic.partitions >= 1 &&
      topic.partitions <= PARTITION_COUNT_MAX
    )
  ) {
    report(where, `cannot have ${topic.partitions} partitions`, `Use 1 to ${PARTITION_COUNT_MAX}`)
  }
  for (const role of ['key', 'id'] as const) {
    const name = topic[role]
    if (name === undefined) continue
    const field = fieldAt(topic.schema.fields, name)
    if (field === undefined) {
      report(where, `names "${name}" as its ${role}, which is no field of its value`, known)
    } else if (field.kind === 'list' || field.kind === 'record' || field.kind === 'json') {
      report(
        where,
        `names "${name}" as its ${role}, which is a ${field.kind}`,
        'Name a plain field',
      )
    }
  }
  for (const [limit, value] of [
    ['retention.days', topic.retentionMs],
    ['retention.gigabytes', topic.retentionBytes],
  ] as const) {
    if (value !== undefined && !(value > 0))
      report(where, `${limit} must be above zero`, 'Leave it out to keep everything')
  }
  checkColumnNames(where, fields, report)
}

/** A field by its name, or by its path as `repo.id`. */
function fieldAt(fields: FieldMap, name: string): Field | undefined {
  if (Object.hasOwn(fields, name)) return fields[name]
  const [first = '', ...rest] = name.split('.')
  const outer = Object.hasOwn(fields, first) ? fields[first] : undefined
  if (outer?.kind !== 'record' || rest.length === 0) return undefined
  return fieldAt((outer as RecordField).fields, rest.join('.'))
}

function checkTable(table: TablePlan, report: Report): void {
  const where = `table ${table.name}`
  checkTableName(where, table.name, report)
  checkColumnNames(
    where,
    table.columns.map(({ name }) => name),
    report,
  )
  const { partitionBy } = table
  if (partitionBy === undefined) return
  const column = table.columns.find(({ name }) => name === partitionBy.column)
  if (column === undefined) {
    report(
      where,
      `is partitioned by "${partitionBy.column}", which it does not have`,
      `Its columns are ${namesOf(table.columns)}`,
    )
  } else if (column.type !== 'timestamp') {
    report(
      where,
      `is partitioned by the day of "${column.name}", which is a ${columnTypeText(column.type)}`,
      'Use an instant',
    )
  }
  if (table.columns.some(({ name }) => name.toLowerCase() === partitionBy.as.toLowerCase())) {
    report(
      where,
      `has a column "${partitionBy.as}" already`,
      "Name the partition's column with { as: … }",
    )
  }
}

function checkTableName(where: string, name: string, report: Report): void {
  if (TABLE_NAME.test(name)) return
  const fix = 'Use layer.name in snake_case, the layer bronze, silver or gold'
  report(where, 'is no table name', fix)
}

/** A hop has one decoder, so topics that go together have one schema. */
function checkUnion(
  { name, topic, alsoTopics }: TablePlan | ServePlan,
  topics: readonly TopicPlan[],
  report: Report,
): void {
  const schemaOf = (wanted: string) => topics.find((known) => known.name === wanted)?.schema
  const first = schemaOf(topic)
  for (const other of alsoTopics) {
    if (schemaOf(other) !== first) {
      report(
        `union into ${name}`,
        `brings together ${topic} and ${other}, whose schemas differ`,
        'Declare them with one and the same record(…)',
      )
    }
  }
}

function checkServe(serve: ServePlan, report: Report): void {
  const where = `serve ${serve.name}`
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/.test(serve.target.table)) {
    report(where, 'is no table name', 'Use snake_case, with a schema in front if there is one')
  }
  // The compiler has checked this for typed callers; plain JavaScript and lossy types come here.
  for (const wanted of serve.target.columns) {
    const given = serve.columns.find(({ name }) => name === wanted.name)
    if (given === undefined) {
      report(where, `gets no column "${wanted.name}"`, `The stream has ${namesOf(serve.columns)}`)
    } else if (!sameColumnType(given.type, wanted.type)) {
      report(
        where,
        `takes ${columnTypeText(wanted.type)} in "${wanted.name}", and the stream has ${columnTypeText(given.type)}`,
        'Change the schema of one of them',
      )
    } else if (given.nullable && !wanted.nullable) {
      report(
        where,
        `takes no null in "${wanted.name}", and the stream may have one`,
        'Use orElse(…) or make the column optional',
      )
    }
  }
  const surplus = serve.columns.filter(
    ({ name }) => !serve.target.columns.some((c) => c.name === name),
  )
  if (surplus.length > 0) {
    report(where, `has no column for ${namesOf(surplus)}`, 'Select only what the table takes')
  }
}

function checkColumnNames(where: string, names: readonly string[], report: Report): void {
  const taken = new Set<string>(RECORD_COLUMNS.map(({ name }) => name))
  if (names.length === 0) report(where, 'has no columns', 'Declare at least one')
  for (const name of names) {
    const folded = name.toLowerCase()
    if (!COLUMN_NAME.test(name))
      report(where, `"${name}" is no column name`, 'Use 1 to 255 characters without quotes')
    if (taken.has(folded)) {
      report(
        where,
        `has the column "${name}" twice, or under a name of the platform's own`,
        'Names are compared without case; rename it',
      )
    }
    taken.add(folded)
  }
}

const namesOf = (columns: Columns) => columns.map(({ name }) => name).join(', ')

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof URL || value instanceof RegExp) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
