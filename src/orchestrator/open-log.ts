import { existsSync } from 'node:fs'
import { openEmbeddedLog, openEmbeddedLogReader } from '../log/embedded/embedded-log.ts'
import type { Log, LogReader } from '../log/log.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

export interface OpenLogOptions {
  readonly home: Home
  readonly settings: Settings
}

/** The log that the settings name. */
export async function openLog({ home }: OpenLogOptions): Promise<Log> {
  return openEmbeddedLog({ file: home.log })
}

/** The same log for looking only, whoever writes it meanwhile; `undefined` when there is none yet. */
export async function openLogReader({ home }: OpenLogOptions): Promise<LogReader | undefined> {
  return existsSync(home.log) ? openEmbeddedLogReader(home.log) : undefined
}
