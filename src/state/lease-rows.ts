import type { RunDatabase } from './run-database.ts'

/** Who holds what, until when. A lease that is not renewed in time is anybody's. */
export interface Leases {
  /** Take all of these for a holder, or none. Who holds one already keeps it. */
  acquire(names: readonly string[], lease: Lease): Promise<boolean>
  /** Put off the end of everything that a runner holds, and say what that is. */
  renew(runner: string, leaseMs: number): Promise<readonly HeldLease[]>
  release(holder: string): Promise<void>
  /** Let go of everything that any other runner holds: for who knows that there is no other. */
  releaseAllBut(runner: string): Promise<void>
}

export interface Lease {
  /** The process, as it calls itself. */
  readonly runner: string
  /** What in the process: unique in it. */
  readonly holder: string
  readonly leaseMs: number
}

export interface HeldLease {
  readonly name: string
  readonly holder: string
}

/** Leases in a database of runs, by its own clock. */
export function leasesIn({ all, nowMsSql }: RunDatabase): Leases {
  const release = async (holder: string) => {
    await all([{ sql: 'DELETE FROM leases WHERE holder = $1', values: [holder] }])
  }
  return {
    async acquire(names, { runner, holder, leaseMs }) {
      // One order for everybody, so that two who want the same things do not wait for each other.
      const wanted = [...new Set(names)].sort()
      const taken = await all(
        wanted.map((name) => ({
          sql: `INSERT INTO leases (name, runner, holder, expires_ms) VALUES ($1, $2, $3, ${nowMsSql} + $4)
ON CONFLICT (name) DO UPDATE SET runner = excluded.runner, holder = excluded.holder, expires_ms = excluded.expires_ms
WHERE leases.expires_ms < ${nowMsSql} OR leases.holder = excluded.holder RETURNING name`,
          values: [name, runner, holder, leaseMs],
        })),
      )
      if (taken.every((rows) => rows.length === 1)) return true
      await release(holder)
      return false
    },
    async renew(runner, leaseMs) {
      const [rows] = await all([
        {
          sql: `UPDATE leases SET expires_ms = ${nowMsSql} + $2 WHERE runner = $1 RETURNING name, holder`,
          values: [runner, leaseMs],
        },
      ])
      return rows!.map(({ name, holder }) => ({ name: String(name), holder: String(holder) }))
    },
    release,
    async releaseAllBut(runner) {
      await all([{ sql: 'DELETE FROM leases WHERE runner <> $1', values: [runner] }])
    },
  }
}
