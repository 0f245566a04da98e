import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { fetchJars, hasJars, javaUnavailable } from './maven-jars.ts'
import { freePort } from './place.ts'
import type { Server, ServicePlace } from './service.ts'

// Apache Kafka as one KRaft node that is broker and controller. The jars come through Maven, whose
// own settings say from where; topics are never created by accident.

const KAFKA_VERSION = '4.3.1'
const HEAP = '-Xmx512m'

const run = promisify(execFile)

export const kafka: Server = Object.freeze<Server>({
  name: 'kafka',
  portDefault: 19092,
  unavailable: () => javaUnavailable('Kafka'),
  async prepare(place) {
    if (!hasJars(jarFolder(place)))
      place.say(`kafka: fetching Apache Kafka ${KAFKA_VERSION} (about 100 MB, once)`)
    await fetchJars(jarFolder(place), [
      `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
      'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4',
    ])
    const settings = path.join(place.folder, 'server.properties')
    const controllerPort = existsSync(settings)
      ? Number(/CONTROLLER:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(settings, 'utf8'))?.[1])
      : await freePort()
    writeFileSync(settings, serverProperties(place, controllerPort))
    writeFileSync(path.join(place.folder, 'log4j2.properties'), LOG4J)
    if (existsSync(path.join(place.folder, 'kafka', 'meta.properties'))) return
    place.say('kafka: formatting its storage')
    // Kafka wants 16 bytes in URL-safe base64.
    const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
    await run('java', [
      ...javaArgs(place),
      'kafka.tools.StorageTool',
      'format',
      '--cluster-id',
      clusterId,
      '--config',
      settings,
    ])
  },
  command: (place) => ({
    file: 'java',
    args: [
      HEAP,
      '-Xms128m',
      '-XX:+UseSerialGC',
      ...javaArgs(place),
      'kafka.Kafka',
      path.join(place.folder, 'server.properties'),
    ],
  }),
  ready: (place) => answersApiVersions(place.port),
  environment: (place) => ({ KAFKA_BROKER: `127.0.0.1:${place.port}` }),
})

function javaArgs(place: ServicePlace): readonly string[] {
  return [
    '-cp',
    path.join(jarFolder(place), '*'),
    `-Dlog4j2.configurationFile=${path.join(place.folder, 'log4j2.properties')}`,
  ]
}

const jarFolder = (place: ServicePlace) => path.join(place.downloadFolder, `kafka-${KAFKA_VERSION}`)

const LOG4J = `appender.stdout.type=Console
appender.stdout.name=stdout
appender.stdout.layout.type=PatternLayout
appender.stdout.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.stdout.ref=stdout
`

/**
 * Whether a broker answers the request every Kafka client begins with (ApiVersions, key 18, version
 * 0). Its port is open some time before it does.
 */
function answersApiVersions(port: number): Promise<boolean> {
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255])
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(request))
    const answer = (ready: boolean) => {
      socket.destroy()
      resolve(ready)
    }
    socket.setTimeout(2_000, () => answer(false))
    socket.once('data', () => answer(true))
    socket.once('error', () => answer(false))
    socket.once('close', () => answer(false))
  })
}

/**
 * One node, small: every internal topic has one replica, groups form without the usual three
 * seconds of waiting, and a killed broker may come back after two seconds instead of nine.
 */
function serverProperties(place: ServicePlace, controllerPort: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=BROKER://127.0.0.1:${place.port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=BROKER://127.0.0.1:${place.port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=${path.join(place.folder, 'kafka')}
auto.create.topics.enable=false
num.partitions=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
log.cleaner.dedupe.buffer.size=16777216
message.max.bytes=10485760
`
}
