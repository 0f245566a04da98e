import path from 'node:path'
import { hasVenv, makeVenv, pythonOf, pythonUnavailable } from './python-venv.ts'
import type { Toolset, ToolsetPlace } from './service.ts'

// The engines without a JVM that judge our tables, delta-rs and PyIceberg, and pandas for working out numbers a second time, in one virtual
// environment.

const PACKAGES = [
  'deltalake==1.6.6',
  'pyiceberg[pyarrow,pyiceberg-core,sql-sqlite]==0.12.0',
  'pyarrow==26.0.1',
  'pandas==3.1.1',
]

const venvOf = ({ folder }: ToolsetPlace) => path.join(folder, 'venv')

export const python: Toolset = Object.freeze<Toolset>({
  name: 'python',
  unavailable: pythonUnavailable,
  async prepare(place) {
    if (!hasVenv(venvOf(place)))
      place.say('python: fetching deltalake, pyiceberg and pandas (about 170 MB, once)')
    await makeVenv(venvOf(place), PACKAGES)
  },
  environment: (place) => ({ MEKONG_PYTHON: pythonOf(venvOf(place)) }),
})
