import path from 'node:path'
import { duckdbWarehouse } from '../serve/duckdb/warehouse.ts'
import type { Warehouse } from '../serve/warehouse.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

/** The warehouse that the settings name. Nothing is opened before it is used. */
export function openWarehouse(home: Home, _settings: Settings): Warehouse {
  return duckdbWarehouse({ file: path.join(home.serve, 'warehouse', 'warehouse.duckdb') })
}
