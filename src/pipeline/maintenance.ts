/** How the rows of files that are put together are laid. */
export interface RowOrder {
  /** One column after another, or all of them interleaved, so that a condition on any of them reads few files. */
  readonly kind: 'sort' | 'z_order'
  readonly columns: readonly string[]
}

/** What keeps a lake table in shape. */
export interface MaintenancePlan {
  /** `layer.name` */
  readonly table: string
  readonly compact?: CompactPlan
  readonly expire?: ExpirePlan
  readonly orphans?: OrphansPlan
  /** When: compaction daily, the others weekly. */
  readonly daily: string
  readonly weekly: string
  readonly zone: string
}

/** Small files of a partition become larger ones. The rows stay the same. */
export interface CompactPlan {
  readonly targetBytes: number
  /** Fewer small files than this in a partition are left alone. */
  readonly inputFilesMin: number
  /** Only partitions of the last so many days; of tables that are laid by day. */
  readonly lastDays?: number
  readonly order?: RowOrder
}

/** Old versions are forgotten, and with them the files that only they needed. */
export interface ExpirePlan {
  readonly olderThanDays: number
  /** The newest so many versions stay, however old. */
  readonly keep: number
}

/** Files that no version needs, left behind by writers that were killed, are removed. */
export interface OrphansPlan {
  /** Younger ones may belong to a commit that is still being made. */
  readonly olderThanDays: number
}

/** `false` leaves an operation out; parts that are not said are as in `DEFAULT_MAINTENANCE`. */
export interface MaintenanceOptions {
  readonly compact?: Partial<CompactPlan> | false
  readonly expire?: Partial<ExpirePlan> | false
  readonly orphans?: Partial<OrphansPlan> | false
  /** Cron of compaction. */
  readonly daily?: string
  /** Cron of expiry and of the removal of orphans. */
  readonly weekly?: string
  readonly zone?: string
}

/** What every bronze table gets that says nothing. */
export const DEFAULT_MAINTENANCE = {
  compact: {
    /** Few enough files for a scan to open, small enough to be rewritten without notice. */
    targetBytes: 128 * 1024 * 1024,
    /** So that a file is not rewritten each day for the sake of one more. */
    inputFilesMin: 5,
  },
  expire: { olderThanDays: 7, keep: 5 },
  /** Longer than any commit takes. */
  orphans: { olderThanDays: 3 },
  /** Off the hour, when everything else starts. */
  daily: '17 3 * * *',
  weekly: '37 4 * * 0',
  zone: 'UTC',
} as const

/** Sorted by the first column, then by the next. */
export const sortBy = (...columns: readonly string[]): RowOrder =>
  Object.freeze({ kind: 'sort', columns })

/** In Z-order: close in every one of the columns. */
export const zOrder = (...columns: readonly string[]): RowOrder =>
  Object.freeze({ kind: 'z_order', columns })

/** Maintenance with its defaults filled in. */
export function maintenancePlan(table: string, options: MaintenanceOptions): MaintenancePlan {
  const { daily, weekly, zone } = DEFAULT_MAINTENANCE
  const part = <Name extends 'compact' | 'expire' | 'orphans'>(name: Name) =>
    options[name] === false ? {} : { [name]: { ...DEFAULT_MAINTENANCE[name], ...options[name] } }
  return {
    table,
    ...part('compact'),
    ...part('expire'),
    ...part('orphans'),
    daily: options.daily ?? daily,
    weekly: options.weekly ?? weekly,
    zone: options.zone ?? zone,
  }
}
