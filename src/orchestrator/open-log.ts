import path from 'node:path'
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts'
import { openKafkaLog } from '../log/kafka/kafka-log.ts'
import type { Log } from '../log/log.ts'
import { spillingLog } from '../log/spilling-log.ts'
import { messageOf } from '../model/errors.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

export interface OpenLogOptions {
  readonly home: Home
  readonly settings: Settings
  readonly onNotice: (line: string) => void
}

/**
 * The log that the settings name: one file in the home folder, or Apache Kafka with a local log beside it that takes what Kafka
 * cannot take just now.
 */
export async function openLog({ home, settings, onNotice }: OpenLogOptions): Promise<Log> {
  if (settings.log === 'embedded') return openEmbeddedLog({ file: home.log })
  const folder = path.dirname(home.log)
  const spill = await openEmbeddedLog({ file: path.join(folder, 'kafka-spill.sqlite') })
  try {
    const primary = await openKafkaLog({
      brokers: settings.kafkaBrokers!.split(',').map((broker) => broker.trim()),
      indexFile: path.join(folder, 'kafka-ids.sqlite'),
    })
    return await spillingLog({
      primary,
      spill,
      onTrouble: (topic, error) =>
        onNotice(`Records of ${topic} wait in the local log: ${messageOf(error)}`),
    })
  } catch (error) {
    await spill.close()
    throw error
  }
}
