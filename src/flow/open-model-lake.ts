import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMissingError } from '../lake/errors.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { createDeltaModelTable, deltaModelTable } from './delta-model-table.ts'
import type { ModelLake } from './model-lake.ts'

/** The lake of a home for models: each table by its own format. `delta` writes with the engine that the models run on. */
export function openModelLake({ delta }: { readonly delta: DeltaDeps }): ModelLake {
  return {
    async open(name) {
      try {
        return await deltaModelTable(delta, name)
      } catch (error) {
        if (error instanceof TableMissingError) return undefined
        throw error
      }
    },
    async create(table) {
      if (table.format !== 'delta')
        throw new ModelInvalidError(
          `${table.name} wants the format ${table.format}, which models cannot be kept in.`,
        )
      await createDeltaModelTable(delta, table)
      return deltaModelTable(delta, table.name)
    },
  }
}
