import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PipelinePlan } from '../pipeline/plan.ts'

/** A question that a pipeline brings, in a file of its own. */
export interface SavedQuery {
  /** `pipeline/file` */
  readonly name: string
  readonly about: string
  /** Where it is asked: the lake, or the serving database itself. */
  readonly on: 'lake' | 'postgres'
  readonly sql: string
}

/** Saved queries: the first comment says what one is about, and a line `-- on: postgres` where it is asked. */
export function savedQueries(plans: readonly PipelinePlan[]): readonly SavedQuery[] {
  return plans.flatMap((plan) =>
    plan.queries.flatMap((folder) =>
      globSync('*.sql', { cwd: fileURLToPath(folder) })
        .sort()
        .map((file): SavedQuery => {
          const text = readFileSync(new URL(file, folder), 'utf8')
          return {
            name: `${plan.name}/${path.basename(file, '.sql')}`,
            about: /^-- (?!on:)(.*)$/m.exec(text)?.[1] ?? '',
            on: /^-- on: postgres\s*$/m.test(text) ? 'postgres' : 'lake',
            sql: text,
          }
        }),
    ),
  )
}
