import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { codedLog, codedLogReader } from '../log/codec/coded-log.ts'
import { openEmbeddedLog, openEmbeddedLogReader } from '../log/embedded/embedded-log.ts'
import type { Log, LogReader } from '../log/log.ts'
import type { LogWatch } from '../log/log-watch.ts'
import { spillingLog } from '../log/spilling-log.ts'
import { messageOf } from '../model/errors.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

export interface OpenLogOptions {
  readonly home: Home
  readonly settings: Settings
}

/**
 * The log that the settings name: one file in the home folder, or Apache Kafka with a local log beside it that takes what Kafka
 * cannot take just now.
 */
export async function openLog({
  home,
  settings,
  onNotice,
  watch = {},
}: OpenLogOptions & {
  readonly onNotice: (line: string) => void
  readonly watch?: LogWatch
}): Promise<Log> {
  if (settings.log === 'embedded')
    return codedLog(await openEmbeddedLog({ file: home.log, ...writesOf(watch) }), watch)
  const folder = path.dirname(home.log)
  const spill = await openEmbeddedLog({ file: path.join(folder, 'kafka-spill.sqlite') })
  try {
    const { openKafkaLog } = await kafka()
    const primary = await openKafkaLog({
      brokers: brokersOf(settings),
      indexFile: kafkaIndexFile(home),
      ...writesOf(watch),
    })
    const log = await spillingLog({
      primary,
      spill,
      watch,
      onTrouble: (topic, error) =>
        onNotice(`Records of ${topic} wait in the local log: ${messageOf(error)}`),
    })
    return codedLog(log, watch)
  } catch (error) {
    await spill.close()
    throw error
  }
}

const writesOf = ({ onWrite }: LogWatch) => (onWrite === undefined ? {} : { onWrite })

/** The same log for looking only, whoever writes it meanwhile; `undefined` when there is none yet. */
export async function openLogReader({
  home,
  settings,
}: OpenLogOptions): Promise<LogReader | undefined> {
  if (settings.log === 'kafka') return codedLogReader(await openKafkaReader(home, settings))
  return existsSync(home.log) ? codedLogReader(await openEmbeddedLogReader(home.log)) : undefined
}

/** Kafka has many readers, but the index of ids beside it has one owner: a reader looks at a copy. */
async function openKafkaReader(home: Home, settings: Settings): Promise<LogReader> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mekong-kafka-'))
  const indexFile = path.join(folder, 'ids.sqlite')
  if (existsSync(kafkaIndexFile(home))) {
    const index = new DatabaseSync(kafkaIndexFile(home), { readOnly: true })
    await backup(index, indexFile)
    index.close()
  }
  const { openKafkaLog } = await kafka()
  const log = await openKafkaLog({ brokers: brokersOf(settings), indexFile })
  return {
    ...log,
    async close() {
      await log.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Loaded only where it is used: its driver compiles its schemas as it loads, which takes half of the time that a start takes. */
const kafka = () => import('../log/kafka/kafka-log.ts')

const kafkaIndexFile = (home: Home) => path.join(path.dirname(home.log), 'kafka-ids.sqlite')

const brokersOf = ({ kafkaBrokers }: Settings) =>
  kafkaBrokers!.split(',').map((broker) => broker.trim())
