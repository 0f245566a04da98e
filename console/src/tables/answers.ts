// What the routes of a table answer, beyond `TableDetail`.

export interface Lineage {
  readonly table: string
  readonly tables: readonly {
    readonly name: string
    readonly pipeline: string | null
    readonly depth: number
    readonly reads: readonly string[]
    readonly problem: string | null
  }[]
  readonly columns: readonly ColumnEdge[]
  readonly ends: readonly {
    readonly side: 'up' | 'down'
    readonly table: string
    readonly kind: string
    readonly name: string
  }[]
}

export interface ColumnEdge {
  readonly from: ColumnPlace
  readonly to: ColumnPlace
  readonly kind: 'identity' | 'transformation' | 'aggregation'
}

export interface ColumnPlace {
  readonly table: string
  readonly column: string
}

export interface Tests {
  readonly is_model: boolean
  readonly committed_at: string | null
  readonly last_run: {
    readonly run: string
    readonly status: string
    readonly error: string | null
    readonly ended_at: string | null
  } | null
  readonly tests: readonly {
    readonly name: string
    readonly kind: string
    readonly severity: 'warn' | 'error'
    readonly status: 'passed' | 'warned' | 'failed' | 'unknown'
    readonly about: Readonly<Record<string, unknown>>
    readonly last_failure: {
      readonly run: string
      readonly tested_at: string
      readonly version: string | null
      readonly failing_rows: number
      readonly rows: readonly Readonly<Record<string, unknown>>[]
    } | null
  }[]
  readonly freshness: readonly {
    readonly column: string
    readonly newest: string | null
    readonly age_seconds: number | null
    readonly warn_after_seconds: number | null
    readonly error_after_seconds: number | null
    readonly status: 'fresh' | 'late' | 'stale'
  }[]
}

export interface Partitions {
  readonly partition_by: readonly string[]
  readonly columns: readonly string[]
  readonly count: number
  readonly partitions: readonly {
    readonly values: readonly (string | null)[]
    readonly files: number
    readonly bytes: number
    readonly rows: number | null
  }[]
}

export interface Files {
  readonly count: number
  readonly files: readonly {
    readonly file: string
    readonly bytes: number
    readonly rows: number | null
  }[]
}

export const pathOf = (name: string) => `/v1/tables/${encodeURIComponent(name)}`
