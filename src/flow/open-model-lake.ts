import { TableMissingError } from '../lake/errors.ts'
import { createDeltaModelTable, deltaModelTable } from './delta-model-table.ts'
import { createIcebergModelTable, icebergModelTable } from './iceberg-model-table.ts'
import type { LakeHome } from './lake-home.ts'
import type { ModelLake, ModelTable } from './model-lake.ts'

/** The lake of a home for models: each table by its own format. `home` writes with the engine that the models run on. */
export function openModelLake(home: LakeHome): ModelLake {
  const open = async (name: string): Promise<ModelTable | undefined> => {
    if (home.iceberg.catalog.tables().includes(name)) return icebergModelTable(home.iceberg, name)
    try {
      return await deltaModelTable(home.delta, name)
    } catch (error) {
      if (error instanceof TableMissingError) return undefined
      throw error
    }
  }
  return {
    open,
    async create(table) {
      if (table.format === 'iceberg') {
        await createIcebergModelTable(home.iceberg, table)
        return icebergModelTable(home.iceberg, table.name)
      }
      await createDeltaModelTable(home.delta, table)
      return deltaModelTable(home.delta, table.name)
    },
  }
}
