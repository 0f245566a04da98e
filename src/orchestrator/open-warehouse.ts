import path from 'node:path'
import { duckdbWarehouse } from '../serve/duckdb/warehouse.ts'
import { snowflakeConfig } from '../serve/snowflake/config.ts'
import { snowflakeWarehouse } from '../serve/snowflake/warehouse.ts'
import type { Warehouse } from '../serve/warehouse.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

/** The warehouse that the settings name. Nothing is opened before it is used. */
export function openWarehouse(home: Home, settings: Settings): Warehouse {
  const { snowflakeAccount: account, snowflakeWarehouse: warehouse } = settings
  const { snowflakeRole: role, snowflakeUrl: url } = settings
  if (account === undefined)
    return duckdbWarehouse({ file: path.join(home.serve, 'warehouse', 'warehouse.duckdb') })
  return snowflakeWarehouse(
    snowflakeConfig({
      ...{ account, user: settings.snowflakeUser!, password: settings.snowflakePassword! },
      database: settings.snowflakeDatabase,
      ...(warehouse === undefined ? {} : { warehouse }),
      ...(role === undefined ? {} : { role }),
      ...(url === undefined ? {} : { url }),
    }),
  )
}
