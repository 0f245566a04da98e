import type {
  Backfill,
  BackfillPart,
  BackfillPartStatus,
  BackfillRequest,
  BackfillStatus,
} from '../model/backfill.ts'
import { BackfillMissingError } from './errors.ts'
import type { Cells, RunDatabase, Statement } from './run-database.ts'

/** Backfills with how far they have come. Each call is one transaction. */
export interface BackfillStore {
  create(backfill: Backfill): Promise<void>
  /** Newest first. */
  list(filter: {
    readonly status?: BackfillStatus
    readonly limit: number
  }): Promise<readonly Backfill[]>
  /** The backfill whose id begins so. @throws BackfillMissingError */
  find(idStart: string): Promise<Backfill>
  /** True when the backfill was in one of these states and is in the new one now. */
  move(id: string, change: BackfillChange): Promise<boolean>
  part(id: string, part: Pick<BackfillPart, 'position' | 'status' | 'runId'>): Promise<void>
}

export interface BackfillChange {
  readonly from: readonly BackfillStatus[]
  readonly to: BackfillStatus
  readonly endedMs: number | null
}

export function backfillStore({ all }: RunDatabase): BackfillStore {
  const whole = async (statement: Statement): Promise<readonly Backfill[]> => {
    const [rows] = await all([statement])
    const parts = await all(rows!.map(({ id }) => partsOf(String(id))))
    return rows!.map((row, index) => backfillOf(row, parts[index]!))
  }
  return {
    async create({ id, status, createdMs, endedMs, parts, ...request }) {
      await all([
        {
          sql: `INSERT INTO backfills (id, status, request, created_ms) VALUES ($1, $2, $3, $4)`,
          values: [id, status, JSON.stringify(request), createdMs],
        },
        ...parts.map((part) => ({
          sql: `INSERT INTO backfill_parts (backfill, position, part_from, part_to, status) VALUES ($1, $2, $3, $4, $5)`,
          values: [id, part.position, part.from, part.to, part.status],
        })),
      ])
    },
    list: ({ status, limit }) =>
      whole({
        sql: `SELECT * FROM backfills ${status === undefined ? '' : 'WHERE status = $2'} ORDER BY created_ms DESC, id DESC LIMIT $1`,
        values: [limit, ...(status === undefined ? [] : [status])],
      }),
    async find(idStart) {
      const found = await whole({
        sql: 'SELECT * FROM backfills WHERE substr(id, 1, length($1)) = $1 ORDER BY id LIMIT 2',
        values: [idStart],
      })
      const [first] = found
      if (first !== undefined && idStart !== '' && (found.length === 1 || first.id === idStart))
        return first
      throw new BackfillMissingError(
        found.length > 1
          ? `More than one backfill begins with "${idStart}". Give more of its id.`
          : `There is no backfill "${idStart}". "mekong backfill list" lists them.`,
      )
    },
    async move(id, { from, to, endedMs }) {
      const states = from.map((_, index) => `$${index + 4}`).join(', ')
      const [rows] = await all([
        {
          sql: `UPDATE backfills SET status = $2, ended_ms = $3 WHERE id = $1 AND status IN (${states}) RETURNING id`,
          values: [id, to, endedMs, ...from],
        },
      ])
      return rows!.length === 1
    },
    async part(id, { position, status, runId }) {
      await all([
        {
          sql: 'UPDATE backfill_parts SET status = $3, run_id = $4 WHERE backfill = $1 AND position = $2',
          values: [id, position, status, runId],
        },
      ])
    },
  }
}

const partsOf = (id: string): Statement => ({
  sql: 'SELECT * FROM backfill_parts WHERE backfill = $1 ORDER BY position',
  values: [id],
})

function backfillOf(row: Cells, parts: readonly Cells[]): Backfill {
  return {
    ...(JSON.parse(row.request as string) as BackfillRequest),
    id: row.id as string,
    status: row.status as BackfillStatus,
    createdMs: row.created_ms as number,
    endedMs: row.ended_ms as number | null,
    parts: parts.map((part) => ({
      position: part.position as number,
      from: part.part_from as string,
      to: part.part_to as string,
      status: part.status as BackfillPartStatus,
      runId: part.run_id as string | null,
    })),
  }
}
