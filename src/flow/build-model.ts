import type { Columns } from '../model/column.ts'
import { assert } from '../model/errors.ts'
import type { Predicate } from '../model/predicate.ts'
import type { Relation } from '../model/relation.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import type { SqlModel, WindowMaterialization } from '../model/sql-model.ts'
import type { TaskContext } from '../model/task.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { scanSql } from '../sql/duckdb/scan.ts'
import { ModelInvalidError, ModelRowsError, ModelSourceError } from '../sql/models/errors.ts'
import { type ModelSession, openModelSession } from '../sql/models/model-session.ts'
import {
  cameSql,
  emptyRowsSql,
  goneSql,
  type NetChanges,
  onlyGrows,
  readSize,
  wholeTable,
} from '../sql/models/net-changes.ts'
import { INCOMING, type ReadModel, TOUCHED } from '../sql/models/read-model.ts'
import { columnDifferences } from '../sql/models/result-columns.ts'
import { GONE_COLUMN, rowVersionsSql, versionedColumns } from '../sql/models/row-versions.ts'
import { rowsOfSpark, type SparkPlace, type SparkRelation } from '../sql/models/rows-of-spark.ts'
import {
  decideRun,
  type ProgressStep,
  progressSteps,
  type RunDecision,
} from '../sql/models/run-decision.ts'
import {
  outsideTouched,
  partitionsPredicate,
  reachPredicate,
  type TouchedPartitions,
  touchedSql,
  touchedTextSql,
  withinDays,
  withinTouched,
} from '../sql/models/touched-partitions.ts'
import { buildWindow } from './build-window.ts'
import type { ModelLake, ModelTable, ModelWrite, ModelWritten } from './model-lake.ts'

// One run of one model. In: the tables it reads, each fixed at its newest version, and what the model's own table remembers of earlier
// runs. Out: one commit to that table, with the rows and the versions they were made from. A crash before the commit leaves the table
// as it was, and the next run does the same again; a crash after it leaves a table that says what it holds. Nothing else is kept.

export interface BuildOptions {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly read: ReadModel
  /** View models that this one may read, by name. */
  readonly views: ReadonlyMap<string, ReadModel>
  /** For models that run there. */
  readonly spark?: SparkPlace | undefined
  readonly context: Pick<TaskContext, 'logicalMs' | 'signal' | 'fullRefresh' | 'range' | 'versions'>
}

export type BuildOutcome =
  | { readonly status: 'waiting'; readonly table: string }
  | { readonly status: 'nothing_new'; readonly reads: readonly VersionStep[] }
  | {
      readonly status: 'built'
      readonly decision: Exclude<RunDecision, { kind: 'nothing_new' }>
      readonly reads: readonly VersionStep[]
      /** Rows of `incoming`; `undefined` for models that have none. */
      readonly rowsIn: number | undefined
      readonly rowsGone: number
      readonly partitions: number | undefined
      /** Rows the SQL yielded. */
      readonly rowsMade: number
      readonly filesRead: number
      readonly bytesRead: number
      readonly written: ModelWritten
    }

export interface VersionStep {
  readonly table: string
  readonly from: number | null
  readonly to: number
}

/** Run a model once. @throws PlatformError; nothing was changed then */
export async function buildModel(options: BuildOptions): Promise<BuildOutcome> {
  const { lake, read, views, context } = options
  const { model } = read
  const sources = new Map<string, ModelTable>()
  for (const name of tablesUnder(read, views)) {
    const table = await lake.open(name)
    if (table === undefined) return { status: 'waiting', table: name }
    sources.set(name, table)
  }
  const target = await lake.open(model.name)
  const facts = {
    ...{ model, fingerprint: read.fingerprint, progress: target?.progress },
    ...{ reads: [...sources.values()], fullRefresh: context.fullRefresh },
    hasRange: context.range !== undefined || context.versions !== undefined,
  }
  const decision = decideRun(facts)
  const steps = progressSteps(facts)
  const reads = [...sources.values()].map((table): VersionStep => {
    const step = steps.find(({ appId }) => appId.includes(`/read/${table.name}/`))
    return { table: table.name, from: step?.expected ?? null, to: table.version }
  })
  if (decision.kind === 'nothing_new') return { status: 'nothing_new', reads }
  const session = await openModelSession(options.engine, {
    runTimeMs: context.logicalMs,
    signal: context.signal,
    parameters: model.parameters,
  })
  try {
    const run = new ModelRun({ options, session, sources, target, decision, steps })
    return { status: 'built', decision: run.decision, reads, ...(await run.run()) }
  } finally {
    await session.close()
  }
}

/** Tables that a model reads, through views too. */
export function tablesUnder(
  read: ReadModel,
  views: ReadonlyMap<string, ReadModel>,
): readonly string[] {
  const found = new Set<string>()
  const visit = (name: string) => {
    const view = views.get(name)
    if (view === undefined) found.add(name)
    else for (const under of view.reads) visit(under)
  }
  for (const name of read.reads) visit(name)
  return [...found].sort()
}

interface RunParts {
  readonly options: BuildOptions
  readonly session: ModelSession
  readonly sources: ReadonlyMap<string, ModelTable>
  readonly target: ModelTable | undefined
  readonly decision: Exclude<RunDecision, { kind: 'nothing_new' }>
  readonly steps: readonly ProgressStep[]
}

/** The steps of one run; what each learns is there for the next. */
class ModelRun {
  readonly decision: RunParts['decision']
  readonly #parts: RunParts
  readonly #model: SqlModel
  readonly #scanned: ScanPlan[] = []
  #rowsIn: number | undefined
  #rowsGone = 0
  #touched: TouchedPartitions | undefined

  constructor(parts: RunParts) {
    this.#parts = parts
    this.#model = parts.options.read.model
    // A window has no parts that could be made alone.
    const isWindow = this.#model.materialize.kind === 'window'
    this.decision =
      isWindow && parts.decision.kind === 'range'
        ? { kind: 'whole', why: 'asked_for' }
        : parts.decision
  }

  async run() {
    const { session, options, steps, decision } = this.#parts
    const { read, context } = options
    if (this.#model.materialize.kind === 'window') return this.#runWindow(this.#model.materialize)
    await this.#makeIncoming()
    if (this.#model.materialize.kind === 'partitions') await this.#makeTouched()
    await this.#makeTables()
    const isRebuilt = decision.kind === 'whole'
    const sql =
      this.#touched === undefined || isRebuilt
        ? read.sql
        : withinTouched(read.sql, this.#touched.by)
    const made =
      this.#model.engine === 'spark'
        ? await this.#rowsOfSpark(sql)
        : await session.rows(this.#model.name, sql)
    this.#checkColumns(made.columns)
    const write = await this.#writeOf(made)
    const table = await this.#openTarget(write, made.columns)
    // What a backfill reads is a part of what is there, so that the next run still has to look.
    const moves = decision.kind === 'range' ? [] : steps
    const written = await table.write(write, moves, context.signal)
    const { files: filesRead, bytes: bytesRead } = readSize(this.#scanned)
    return {
      ...{ rowsIn: this.#rowsIn, rowsGone: this.#rowsGone },
      partitions: this.#touched?.rows.length,
      ...{ rowsMade: made.rowCount, filesRead, bytesRead, written },
    }
  }

  async #runWindow(how: WindowMaterialization) {
    const { session, options, sources, target, steps } = this.#parts
    const { read, context } = options
    if (this.#model.engine === 'spark')
      throw new ModelInvalidError(
        `${this.#model.name} is a window, and windows run in DuckDB. Nothing was written. Leave engine out.`,
      )
    const source = sources.get(this.#model.incoming!)!
    const { made, step, scanned, ...facts } = await buildWindow({
      ...{ session, read, how, source, target, decision: this.decision },
    })
    if (made !== undefined) this.#checkColumns(made.columns)
    const write = made === undefined ? ({ kind: 'nothing' } as const) : this.#replace(made)
    const table = made === undefined ? target! : await this.#openTarget(write, made.columns)
    const written = await table.write(write, [...steps, step], context.signal)
    const { files: filesRead, bytes: bytesRead } = readSize(scanned)
    return {
      ...{ rowsIn: facts.rowsIn, rowsGone: facts.rowsGone, partitions: facts.days },
      ...{ rowsMade: made?.rowCount ?? 0, filesRead, bytesRead, written },
    }
  }

  /** The rows as Spark makes them. */
  async #rowsOfSpark(sql: string): Promise<Relation> {
    const { session, options } = this.#parts
    const { read, spark, context } = options
    const { name, materialize } = this.#model
    if (spark === undefined)
      throw new ModelInvalidError(
        `${name} runs on Spark, and no Spark is named. Set SPARK_REMOTE, such as sc://127.0.0.1:15002, or leave engine out.`,
      )
    const relations: SparkRelation[] = []
    const add = (relation: string) => {
      if (relations.some((known) => known.name === relation)) return
      const view = options.views.get(relation)
      for (const under of view?.reads ?? []) add(under)
      relations.push(
        view === undefined ? { name: relation } : { name: relation, viewSql: view.sql },
      )
    }
    for (const relation of read.namesTables) add(relation)
    if (read.readsItself) add(name)
    if (read.readsIncoming) add(INCOMING)
    if (materialize.kind === 'partitions' && (this.#touched !== undefined || read.readsTouched))
      add(TOUCHED)
    return rowsOfSpark(session, spark, {
      ...{ model: name, sql, relations, runTimeMs: context.logicalMs, signal: context.signal },
    })
  }

  /** The relation `incoming`. */
  async #makeIncoming(): Promise<void> {
    const { session, decision, sources } = this.#parts
    const name = this.#model.incoming
    if (name === undefined) return
    const source = sources.get(name)!
    const { versions } = this.#parts.options.context
    const changes =
      decision.kind === 'increment'
        ? await this.#changesOf(source, decision.fromVersion)
        : decision.kind === 'range' && versions !== undefined
          ? await this.#changesOf(source, versions.from - 1, Math.min(versions.to, source.version))
          : wholeTable(await source.plan(this.#bounds(source)))
    this.#scanned.push(...changes.plus, ...changes.minus, ...changes.feed)
    if (onlyGrows(changes)) {
      await session.view(INCOMING, cameSql(changes))
    } else {
      await session.table(INCOMING, cameSql(changes))
      await session.table('incoming_gone', goneSql(changes))
      this.#rowsGone = await this.#count('incoming_gone')
    }
    this.#rowsIn = await this.#count(INCOMING)
    if (this.#model.materialize.kind === 'append' && this.#rowsGone > 0)
      throw new ModelSourceError(
        `${this.#model.name} takes the rows added to ${name}, and ${this.#rowsGone} rows that it has read went from there. ` +
          'Nothing was written. Materialize it by merge or partitions, or run it with --full-refresh.',
      )
  }

  /** Which rows of the incoming table a backfill is for; `undefined` for all. */
  #bounds({ columns, name: table }: ModelTable): Predicate | undefined {
    const { decision, options } = this.#parts
    const { backfillBy, materialize, name } = this.#model
    const { range } = options.context
    if (decision.kind !== 'range' || range === undefined || materialize.kind === 'partitions')
      return undefined
    const type = columns.find((column) => column.name === backfillBy)?.type
    if (backfillBy === undefined || (type !== 'date' && type !== 'timestamp'))
      throw new ModelInvalidError(
        `${name} cannot be made anew for some days: ${backfillBy === undefined ? 'it does not say by which column of' : `${backfillBy} is no day and no instant of`} ${table}. Say backfillBy, or run it with --full-refresh.`,
      )
    return withinDays({ column: backfillBy, type }, range)
  }

  async #changesOf(source: ModelTable, fromVersion: number, upTo?: number): Promise<NetChanges> {
    const changes = await source.changesSince(fromVersion, upTo)
    if (changes !== undefined) return changes
    throw new ModelSourceError(
      `What came to ${source.name} after version ${fromVersion} can no longer be told: its commits or files were cleaned up before ${this.#model.name} read them. ` +
        `Nothing was written. Make the model anew: mekong run ${this.#model.name} --full-refresh.`,
    )
  }

  /** The relation `touched`, and what it says. */
  async #makeTouched(): Promise<void> {
    const { session, decision, options, target } = this.#parts
    const { materialize } = this.#model
    if (materialize.kind !== 'partitions' || decision.kind === 'whole') return
    const { touchedSql: own } = options.read
    const { range } = options.context
    // For this question the rows as they were count too: where a row left is touched as much as where it came.
    if (this.#rowsGone > 0) {
      await session.table('incoming_net', `SELECT * FROM ${INCOMING}`)
      await session.table(INCOMING, 'FROM incoming_net UNION ALL FROM incoming_gone')
    }
    if (own !== undefined) await this.#makeNamedTables(target, () => undefined)
    const within = decision.kind === 'range' ? range : undefined
    await session.table(TOUCHED, touchedSql(materialize, own, within))
    if (this.#rowsGone > 0) await session.table(INCOMING, 'FROM incoming_net')
    const rows = await session.read(touchedTextSql(materialize.by))
    this.#touched = { by: materialize.by, rows: rows as (string | null)[][] }
  }

  /** Tables and views that the SQL names. */
  async #makeTables(): Promise<void> {
    const { session, options, target, decision } = this.#parts
    const { materialize } = this.#model
    const touched = this.#touched
    if (materialize.kind === 'partitions' && decision.kind === 'whole' && options.read.readsTouched)
      await session.table(TOUCHED, await this.#everyPartition(materialize.by))
    await this.#makeNamedTables(decision.kind === 'whole' ? undefined : target, (table) =>
      touched === undefined || materialize.kind !== 'partitions'
        ? undefined
        : reachPredicate(touched, materialize.reads[table.name], table),
    )
  }

  /** A whole build touches all there is; a model that joins `touched` must find it there. */
  async #everyPartition(by: readonly string[]): Promise<string> {
    const { session, options } = this.#parts
    const { touchedSql: own } = options.read
    if (own !== undefined) await this.#makeNamedTables(undefined, () => undefined)
    const { materialize } = this.#model
    if (materialize.kind !== 'partitions') return ''
    await session.table('every_partition', touchedSql(materialize, own))
    return `SELECT ${by.map(quoteIdentifier).join(', ')} FROM every_partition`
  }

  async #makeNamedTables(
    itself: ModelTable | undefined,
    predicateFor: (table: ModelTable) => Predicate | undefined,
  ): Promise<void> {
    const { session, options, sources } = this.#parts
    const { read, views } = options
    const made = new Set<string>()
    const make = async (name: string) => {
      if (made.has(name)) return
      made.add(name)
      const view = views.get(name)
      if (view !== undefined) {
        for (const under of view.reads) await make(under)
        await session.view(name, view.sql)
        return
      }
      const table = sources.get(name)!
      const plan = await table.plan(predicateFor(table))
      this.#scanned.push(plan)
      await session.view(name, scanSql(plan))
    }
    for (const name of read.namesTables) await make(name)
    if (read.readsItself) await this.#makeItself(itself)
  }

  /** The model's own table, as far as the run leaves it. */
  async #makeItself(itself: ModelTable | undefined): Promise<void> {
    const { session } = this.#parts
    const { name } = this.#model
    const touched = this.#touched
    if (itself !== undefined) {
      const plan = await itself.plan()
      this.#scanned.push(plan)
      const rows = scanSql(plan)
      return session.view(name, touched === undefined ? rows : outsideTouched(rows, touched.by))
    }
    const columns = this.#model.columns
    if (columns === undefined)
      throw new ModelInvalidError(
        `The SQL of ${name} reads its own table, which is not there yet, so that its columns are not known. Say them: columns: record({ … }).`,
      )
    await session.view(name, emptyRowsSql(columns))
  }

  #checkColumns(made: Columns): void {
    const { columns, name } = this.#model
    const differences = columns === undefined ? [] : columnDifferences(made, columns)
    if (differences.length > 0)
      throw new ModelInvalidError(
        `The rows of ${name} are not what it says: ${differences.join('; ')}. Nothing was written. Change its SQL or its columns.`,
      )
  }

  async #writeOf(made: Relation): Promise<ModelWrite> {
    const { decision } = this.#parts
    const { materialize } = this.#model
    const isWhole = decision.kind === 'whole'
    if (materialize.kind === 'merge') await this.#checkKeys(made, materialize.key)
    if (materialize.kind === 'snapshot') return this.#writeVersions(made)
    if (isWhole || materialize.kind === 'table') return this.#replace(made)
    if (materialize.kind === 'merge') {
      const { key, whenMatched } = materialize
      return made.rowCount === 0
        ? { kind: 'nothing' }
        : { kind: 'merge', rows: made, key, whenMatched }
    }
    if (materialize.kind === 'partitions') {
      const touched = this.#touched!
      if (touched.rows.length === 0) return { kind: 'nothing' }
      const where = partitionsPredicate(touched, made.columns)
      return { kind: 'replace_where', rows: made, where }
    }
    if (decision.kind === 'range')
      throw new ModelInvalidError(
        `${this.#model.name} only adds rows, so that a part of it cannot be made anew without doubling it. Nothing was written. Run it with --full-refresh.`,
      )
    return made.rowCount === 0 ? { kind: 'nothing' } : { kind: 'append', rows: made }
  }

  #replace(rows: Relation): ModelWrite {
    const { target } = this.#parts
    const { partitionBy } = this.#model
    const columns = rows.columns.map((column) => ({ ...column, nullable: true }))
    const isOther =
      target !== undefined &&
      (columnDifferences(columns, target.columns).length > 0 ||
        JSON.stringify(partitionBy) !== JSON.stringify(target.partitionBy))
    return { kind: 'replace', rows, columns, partitionBy, isOther }
  }

  /** @throws ModelRowsError when two rows have one key, or a key has a null */
  async #checkKeys(made: Relation, key: readonly string[]): Promise<void> {
    const { session } = this.#parts
    const lacking = key.filter((name) => !made.columns.some((column) => column.name === name))
    if (lacking.length > 0)
      throw new ModelInvalidError(
        `The SQL of ${this.#model.name} yields no ${lacking.join(', ')}, which is in its key. Its columns are ${made.columns.map(({ name }) => name).join(', ')}.`,
      )
    const names = key.map(quoteIdentifier)
    const [counts] = await session.read(
      `SELECT count(*) - count(DISTINCT (${names.join(', ')})) AS repeats, count(*) FILTER (WHERE ${names.map((name) => `${name} IS NULL`).join(' OR ')}) FROM ${made.name}`,
    )
    const [repeats, nulls] = counts!.map(Number) as [number, number]
    if (repeats + nulls === 0) return
    const problems = [
      ...(repeats > 0 ? [`${repeats} rows repeat the key of another`] : []),
      ...(nulls > 0 ? [`${nulls} rows have a null in their key`] : []),
    ]
    throw new ModelRowsError(
      `The SQL of ${this.#model.name} yields ${made.rowCount} rows, of which ${problems.join(' and ')} (${key.join(', ')}). ` +
        `Nothing was written. Leave one row for each key: QUALIFY row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY …) = 1.`,
    )
  }

  async #writeVersions(made: Relation): Promise<ModelWrite> {
    const { session, decision, target, options } = this.#parts
    const how = this.#model.materialize
    assert(how.kind === 'snapshot', 'versions are written for snapshots alone')
    const moments = how.validFrom === undefined ? [] : [how.validFrom]
    await this.#checkKeys(made, [...how.key, ...moments])
    const isAnew = decision.kind === 'whole' && decision.why !== 'source_changed'
    const kept =
      target === undefined || isAnew
        ? emptyRowsSql(versionedColumns(made.columns))
        : scanSql(await target.plan())
    await session.view('kept_versions', kept)
    const runTime = new Date(options.context.logicalMs).toISOString()
    const select = rowVersionsSql({
      ...{ how, made: made.name, kept: 'kept_versions', columns: made.columns, runTime },
      isEverything: this.#model.incoming === undefined,
    })
    const columns = versionedColumns(made.columns)
    const rows = await session.relation(select, [
      ...columns,
      { name: GONE_COLUMN, type: 'boolean', nullable: false },
    ])
    if (rows.rowCount === 0 && target !== undefined && !isAnew) return { kind: 'nothing' }
    if (target === undefined || isAnew) {
      const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
      return this.#replace(await session.relation(`SELECT ${names} FROM ${rows.name}`, columns))
    }
    return {
      kind: 'upsert_and_delete',
      rows,
      key: [...how.key, 'valid_from'],
      goneColumn: GONE_COLUMN,
    }
  }

  async #openTarget(write: ModelWrite, made: Columns): Promise<ModelTable> {
    const { target, options } = this.#parts
    const { name, format, partitionBy, properties, materialize } = this.#model
    const columns = materialize.kind === 'snapshot' ? versionedColumns(made) : made
    if (target === undefined)
      return options.lake.create({
        ...{ name, format, partitionBy, properties },
        columns: columns.map((column) => ({ ...column, nullable: true })),
      })
    const differences = write.kind === 'replace' ? [] : columnDifferences(columns, target.columns)
    if (differences.length === 0) return target
    throw new ModelInvalidError(
      `The rows of ${name} are no longer those of its table: ${differences.join('; ')}. Nothing was written. ` +
        `Make it anew with mekong run ${name} --full-refresh, or change the SQL back.`,
    )
  }

  async #count(relation: string): Promise<number> {
    const [row] = await this.#parts.session.read(`SELECT count(*) FROM ${relation}`)
    return Number(row![0])
  }
}
