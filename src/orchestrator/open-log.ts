import { openEmbeddedLog } from '../log/embedded/embedded-log.ts'
import type { Log } from '../log/log.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

/** The log that the settings name. */
export async function openLog({
  home,
}: {
  readonly home: Home
  readonly settings: Settings
}): Promise<Log> {
  return openEmbeddedLog({ file: home.log })
}
