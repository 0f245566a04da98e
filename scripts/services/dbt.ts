import path from 'node:path'
import { hasVenv, makeVenv, pythonOf, pythonUnavailable } from './python-venv.ts'
import type { Toolset, ToolsetPlace } from './service.ts'

// dbt with its adapter for DuckDB, in a virtual environment of its own: it wants other versions than the engines that judge our tables.

const PACKAGES = ['dbt-core==1.11.16', 'dbt-duckdb==1.11.1', 'duckdb==1.5.6']

const venvOf = ({ folder }: ToolsetPlace) => path.join(folder, 'venv')

export const dbt: Toolset = Object.freeze<Toolset>({
  name: 'dbt',
  unavailable: pythonUnavailable,
  async prepare(place) {
    if (!hasVenv(venvOf(place)))
      place.say('dbt: fetching dbt-core and dbt-duckdb (about 60 MB, once)')
    await makeVenv(venvOf(place), PACKAGES)
  },
  environment: (place) => ({ MEKONG_DBT: path.join(path.dirname(pythonOf(venvOf(place))), 'dbt') }),
})
