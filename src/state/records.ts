import type { Statements } from './statements.ts'

/** A plan that was applied. Versions of a pipeline count from 1. */
export interface AppliedPlan {
  readonly pipeline: string
  readonly version: number
  /** JSON text. */
  readonly plan: string
  readonly appliedMs: number
}

/** A key of the HTTP API. The key itself is never kept, only its hash. */
export interface ApiKey {
  readonly hash: string
  readonly name: string
  readonly roles: readonly string[]
  readonly createdMs: number
  readonly revokedMs: number | null
}

/** Arrivals the gateway turned away, repeats included, since the beginning. */
export interface RejectedCount {
  readonly topic: string
  readonly rejected: number
}

export function rejectedCounts(sql: Statements): readonly RejectedCount[] {
  return sql.all('SELECT topic, rejected FROM gateway_counts ORDER BY topic') as never
}

/** A setting's JSON text. */
export function getSetting(sql: Statements, key: string): string | undefined {
  return sql.get('SELECT value FROM settings WHERE key = ?', [key])?.value as string | undefined
}

export function putSetting(sql: Statements, key: string, value: string, nowMs: number): void {
  sql.run(
    `INSERT INTO settings (key, value, updated_ms) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms`,
    [key, value, nowMs],
  )
}

/** The newest applied plan of a pipeline. */
export function appliedPlan(sql: Statements, pipeline: string): AppliedPlan | undefined {
  return sql.get(
    `SELECT pipeline, version, plan, applied_ms AS appliedMs FROM applied_plans
     WHERE pipeline = ? ORDER BY version DESC LIMIT 1`,
    [pipeline],
  ) as AppliedPlan | undefined
}

/** Keep a plan as the pipeline's newest; the same text again changes nothing. Returns what then is the newest. */
export function applyPlan(
  sql: Statements,
  pipeline: string,
  plan: string,
  nowMs: number,
): AppliedPlan {
  const last = appliedPlan(sql, pipeline)
  if (last?.plan === plan) return last
  const next = { pipeline, version: (last?.version ?? 0) + 1, plan, appliedMs: nowMs }
  sql.run('INSERT INTO applied_plans (pipeline, version, plan, applied_ms) VALUES (?, ?, ?, ?)', [
    ...[pipeline, next.version, plan, nowMs],
  ])
  return next
}

/** Keep a key; one that is known changes nothing. */
export function addApiKey(
  sql: Statements,
  key: Pick<ApiKey, 'hash' | 'name' | 'roles'>,
  nowMs: number,
): void {
  sql.run(
    'INSERT INTO api_keys (hash, name, roles, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    [key.hash, key.name, JSON.stringify(key.roles), nowMs],
  )
}

/** Returns whether there was such a key that was not revoked yet. */
export function revokeApiKey(sql: Statements, hash: string, nowMs: number): boolean {
  const text = 'UPDATE api_keys SET revoked_ms = ? WHERE hash = ? AND revoked_ms IS NULL'
  return sql.run(text, [nowMs, hash]) > 0
}

/** All keys, revoked ones too, oldest first. */
export function apiKeys(sql: Statements): readonly ApiKey[] {
  return sql
    .all(
      'SELECT hash, name, roles, created_ms AS createdMs, revoked_ms AS revokedMs FROM api_keys ORDER BY created_ms, hash',
    )
    .map((row) => ({ ...row, roles: JSON.parse(row.roles as string) }) as unknown as ApiKey)
}
