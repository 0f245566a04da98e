import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FailedText, LabelledBatch, LabelledText } from '../enrich/label-texts.ts'
import type { Clock } from '../model/clock.ts'
import type { Columns } from '../model/column.ts'
import type { LabelPlan } from '../pipeline/label.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { runQuery } from '../sql/duckdb/query.ts'
import { quoteIdentifier, quoteText } from '../sql/duckdb/quote-identifier.ts'
import type { StoredLetter } from '../state/letter-rows.ts'
import type { StateStore } from '../state/state-store.ts'
import { lettersOfTable } from './files-to-lake.ts'
import { type LabelCounts, labelCountsOf, labelSteps, labelsConsumer } from './label-counts.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import type { ModelLake, ModelWrite } from './model-lake.ts'
import { lakeQueryTables, openRowSpill } from './tables-to-sql.ts'

// Where labels are. Comes in: what a model or the rules said. Goes out: the keywords that have no label yet. Two tables: NAME with the label of each keyword that
// counts now, and NAME_answers with everything that was ever paid for, by an address made of the keyword, the model and the prompt's version. Answers are
// committed first, so that whatever happens afterwards they are found again. With the labels are committed the counts that the ledger reads.

export interface LabelStoreWorld {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly catalog: LakeCatalog
  readonly state: Pick<StateStore, 'record' | 'list' | 'fix' | 'markReplayed'>
  readonly clock: Clock
}

/** Who labels: what the same one said in the same version is never asked again. */
export interface Classifier {
  readonly classifier: 'model' | 'rules'
  readonly model: string
  readonly version: string
}

export interface LabelStore {
  /** Find what has no label, write the labels that were paid for before, and return how many those are, and what is left to ask, in order. */
  begin(): Promise<{ readonly known: number; readonly texts: readonly string[] }>
  /** Durable when it returns. */
  put(batch: LabelledBatch): Promise<void>
  /** The run is over; what it did not ask waits for the next. */
  end(): Promise<void>
}

export const LABEL_COLUMNS: Columns = [
  { name: 'keyword', type: 'string', nullable: false, doc: 'Lower case, trimmed, NFC.' },
  { name: 'label', type: 'string', nullable: false },
  { name: 'classifier', type: 'string', nullable: false, doc: 'model or rules.' },
  { name: 'model', type: 'string', nullable: false, doc: 'Name of the model, or of the rules.' },
  { name: 'prompt_version', type: 'string', nullable: false },
  {
    name: 'tokens_in',
    type: 'float64',
    nullable: false,
    doc: "The keyword's share of its request.",
  },
  { name: 'tokens_out', type: 'float64', nullable: false },
  { name: 'cost_usd', type: 'float64', nullable: false },
  { name: 'labelled_at', type: 'timestamp', nullable: false },
]

const ANSWER_COLUMNS: Columns = [
  {
    ...{ name: 'address', type: 'string', nullable: false },
    doc: 'SHA-256 of keyword, model and prompt_version, with a zero byte between them; in hex.',
  },
  ...LABEL_COLUMNS,
]

/** The table of everything that a model ever answered for a plan. */
export const answersTable = ({ name }: Pick<LabelPlan, 'name'>) => `${name}_answers`

/** The address of an answer. */
export const answerAddress = (keyword: string, { model, version }: Classifier) =>
  createHash('sha256').update([keyword, model, version].join('\0')).digest('hex')

/** More keywords than this are taken in the next run. */
const KEYWORD_COUNT_MAX = 5_000_000
const QUERY_TIMEOUT_MS = 3_600_000

/** What a plan's tables and its SELECT say about who labels now. */
export interface PendingKeywords {
  /** Keywords that the SELECT names, and how many of them need no label. */
  readonly asked: number
  readonly done: number
  readonly pending: readonly PendingKeyword[]
}

interface PendingKeyword {
  readonly keyword: string
  /** Somebody else's label, or an older one, is there. */
  readonly hasRow: boolean
  /** What the same one answered before: label, tokens in and out, cost. */
  readonly answered: LabelledText | undefined
}

/** Look up what has no label from this classifier. Rules do not take the place of a model, whose labels were paid for. @throws SqlError */
export async function pendingKeywords(
  { engine, catalog }: Pick<LabelStoreWorld, 'engine' | 'catalog'>,
  plan: LabelPlan,
  who: Classifier,
  signal: AbortSignal,
): Promise<PendingKeywords> {
  const names = await catalog.names()
  if (plan.reads.some((name) => !names.includes(name))) return { asked: 0, done: 0, pending: [] }
  const wanted = (await readFile(plan.sql, 'utf8')).replace(/[;\s]+$/, '')
  const isMine = `model = ${quoteText(who.model)} AND prompt_version = ${quoteText(who.version)}`
  const isDone = who.classifier === 'model' ? isMine : `classifier = 'model' OR (${isMine})`
  const none = 'SELECT NULL::VARCHAR AS keyword WHERE false'
  const labels = names.includes(plan.name)
    ? `SELECT keyword, (${isDone}) AS is_done FROM ${plan.name}`
    : `SELECT keyword, false AS is_done FROM (${none})`
  const answers = names.includes(answersTable(plan))
    ? `SELECT keyword, label, tokens_in, tokens_out, cost_usd FROM ${answersTable(plan)} WHERE ${isMine}`
    : `SELECT keyword, NULL AS label, 0 AS tokens_in, 0 AS tokens_out, 0 AS cost_usd FROM (${none})`
  const tables = await lakeQueryTables(catalog, engine)
  const ask = (sql: string) =>
    runQuery(engine, {
      sql: `WITH wanted AS (${wanted}\n), labels AS (${labels}), answers AS (${answers}) ${sql}`,
      ...{ tables, rowCountMax: KEYWORD_COUNT_MAX, timeoutMs: QUERY_TIMEOUT_MS, signal },
    })
  const counts = await ask(
    'SELECT count(*), count(*) FILTER (coalesce(is_done, false)) FROM wanted LEFT JOIN labels USING (keyword)',
  )
  const [asked, done] = counts.rows[0]!.map(Number) as [number, number]
  const { rows } = await ask(
    `SELECT wanted.keyword, labels.keyword IS NOT NULL, label, tokens_in, tokens_out, cost_usd
     FROM wanted LEFT JOIN labels USING (keyword) LEFT JOIN answers ON answers.keyword = wanted.keyword
     WHERE NOT coalesce(is_done, false) ORDER BY 1`,
  )
  const pending = rows.map(([keyword, hasRow, label, tokensIn, tokensOut, costUsd]) => ({
    ...{ keyword: String(keyword), hasRow: hasRow === true },
    answered:
      label === null
        ? undefined
        : {
            ...{ text: String(keyword), label: String(label), tokensIn: Number(tokensIn) },
            ...{ tokensOut: Number(tokensOut), costUsd: Number(costUsd) },
          },
  }))
  return { asked, done, pending }
}

export interface LabelStoreOptions {
  readonly plan: LabelPlan
  readonly pipeline: string
  readonly who: Classifier
  readonly signal: AbortSignal
}

/** The tables and the dead letters of one label plan, for one run. One writer at a time. */
export function labelStore(world: LabelStoreWorld, options: LabelStoreOptions): LabelStore {
  return new LabelTables(world, options)
}

class LabelTables implements LabelStore {
  readonly #world: LabelStoreWorld
  readonly #options: LabelStoreOptions
  readonly #consumer: string
  /** Keywords whose row this run adds; those of others it rewrites. */
  readonly #new = new Set<string>()
  /** The dead letter of each keyword that has one; `undefined` for those of this run, which are not asked again in it. */
  readonly #letters = new Map<string, StoredLetter | undefined>()
  /** Version of the table when the run began: letters of another run are other letters. */
  #run = 0
  #counts: LabelCounts | undefined

  constructor(world: LabelStoreWorld, options: LabelStoreOptions) {
    this.#world = world
    this.#options = options
    this.#consumer = labelsConsumer(options.pipeline, options.plan.name)
  }

  async begin() {
    const { plan, who, signal } = this.#options
    await this.#ensure(plan.name, LABEL_COLUMNS)
    if (who.classifier === 'model') await this.#ensure(answersTable(plan), ANSWER_COLUMNS)
    const table = (await this.#world.lake.open(plan.name))!
    this.#run = table.version
    this.#counts = labelCountsOf(this.#consumer, table.progress)
    const { asked, done, pending } = await pendingKeywords(this.#world, plan, who, signal)
    const rows = (await table.size()).rows ?? 0
    const isSame = this.#counts?.asked === asked && this.#counts.labelled === done
    if (!(isSame && this.#counts?.rows === rows && asked === done))
      await this.#commit({ kind: 'nothing' }, { asked, labelled: done, rows, ended: 0, left: 0 })
    for (const { keyword, hasRow } of pending) if (!hasRow) this.#new.add(keyword)
    await this.#sortLetters(new Set(pending.map(({ keyword }) => keyword)))
    const answered = pending.flatMap((one) => one.answered ?? [])
    await this.#putLabels(answered)
    const texts = pending.flatMap((one) => (one.answered === undefined ? [one.keyword] : []))
    return { known: answered.length, texts }
  }

  async put({ labels, failed }: LabelledBatch): Promise<void> {
    if (this.#options.who.classifier === 'model') await this.#putAnswers(labels)
    await this.#putFailed(failed)
    await this.#putLabels(labels)
  }

  async end(): Promise<void> {
    const counts = this.#counts!
    const left = counts.asked - counts.labelled - this.#letters.size
    if (counts.ended === 0) await this.#commit({ kind: 'nothing' }, { ...counts, ended: 1, left })
  }

  async #ensure(name: string, columns: Columns): Promise<void> {
    const { lake } = this.#world
    if ((await lake.open(name)) !== undefined) return
    await lake.create({ name, format: 'delta', columns, partitionBy: [], properties: {} })
  }

  /** Letters of keywords that have a label by now, that nobody searches for, or that another model or prompt left, are closed. */
  async #sortLetters(pending: ReadonlySet<string>): Promise<void> {
    const { state } = this.#world
    const { pipeline, plan, who } = this.#options
    for await (const letter of lettersOfTable(state, pipeline, plan.name)) {
      const { key, status, topic } = letter
      if (status === 'replayed') continue
      if (key !== null && topic === letterTopic(plan, who) && pending.has(key))
        this.#letters.set(key, letter)
      else await this.#close(letter)
    }
  }

  async #close({ id, status, value }: StoredLetter): Promise<void> {
    const { state } = this.#world
    // One that somebody gave up comes back first.
    if (status === 'dropped') await state.fix(id, value)
    await state.markReplayed(id, this.#options.plan.name)
  }

  async #putAnswers(labels: readonly LabelledText[]): Promise<void> {
    if (labels.length === 0) return
    const { plan, who } = this.#options
    const rows = this.#rows(labels).map((row) => [answerAddress(String(row[0]), who), ...row])
    await this.#withRelation(ANSWER_COLUMNS, rows, async (relation) => {
      const table = await this.#world.lake.open(answersTable(plan))
      await table!.write({ kind: 'append', rows: relation }, [], this.#options.signal)
    })
  }

  /** A keyword that has a letter keeps it. */
  async #putFailed(failed: readonly FailedText[]): Promise<void> {
    const others = failed.filter(({ text }) => !this.#letters.has(text))
    if (others.length === 0) return
    const { state, clock } = this.#world
    const { pipeline, plan, who } = this.#options
    const place = { pipeline, hop: plan.name, topic: letterTopic(plan, who), partition: this.#run }
    await state.record(
      others.map(({ text, reason, message }) => ({
        ...{ ...place, offset: textNumber(text), recordId: text, key: text, reason, message },
        ...{ value: Buffer.from(text), headers: {}, arrivedMs: clock.nowMs() },
      })),
    )
    for (const { text } of others) this.#letters.set(text, undefined)
  }

  async #putLabels(labels: readonly LabelledText[]): Promise<void> {
    if (labels.length === 0) return
    for (const { text } of labels) {
      const letter = this.#letters.get(text)
      if (letter !== undefined) await this.#close(letter)
      this.#letters.delete(text)
    }
    const counts = this.#counts!
    const added = labels.filter(({ text }) => this.#new.delete(text)).length
    await this.#withRelation(LABEL_COLUMNS, this.#rows(labels), (rows) =>
      this.#commit(
        { kind: 'merge', key: ['keyword'], whenMatched: 'update', rows },
        { ...counts, labelled: counts.labelled + labels.length, rows: counts.rows + added },
      ),
    )
  }

  async #commit(write: ModelWrite, after: LabelCounts): Promise<void> {
    const { plan, signal } = this.#options
    const table = await this.#world.lake.open(plan.name)
    await table!.write(write, labelSteps(this.#consumer, this.#counts, after), signal)
    this.#counts = after
  }

  #rows(labels: readonly LabelledText[]): unknown[][] {
    const { who } = this.#options
    const atMicros = BigInt(this.#world.clock.nowMs()) * 1_000n
    return labels.map((l) => [
      ...[l.text, l.label, who.classifier, who.model, who.version],
      ...[l.tokensIn, l.tokensOut, l.costUsd, atMicros],
    ])
  }

  async #withRelation(
    columns: Columns,
    rows: readonly (readonly unknown[])[],
    work: (relation: { name: string; columns: Columns; rowCount: number }) => Promise<void>,
  ): Promise<void> {
    const { engine } = this.#world
    const spill = await openRowSpill(engine)
    const connection = await engine.connection()
    const name = engine.relationName('labels')
    try {
      const select = await spill.select(columns, rows)
      await connection.run(`CREATE TABLE ${quoteIdentifier(name)} AS ${select}`, {
        signal: this.#options.signal,
      })
      await work({ name, columns, rowCount: rows.length })
    } finally {
      await connection.run(`DROP TABLE IF EXISTS ${quoteIdentifier(name)}`)
      connection.close()
      await spill.close()
    }
  }
}

const letterTopic = ({ name }: LabelPlan, { model, version }: Classifier) =>
  `${name}/${model}/${version}`

/** 48 bits of the text's hash: its place among dead letters, the same in every run. */
const textNumber = (text: string) =>
  Number.parseInt(createHash('sha256').update(text).digest('hex').slice(0, 12), 16)
