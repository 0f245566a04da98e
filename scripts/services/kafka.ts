import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './place.ts'
import type { Service, ServicePlace } from './service.ts'

// Apache Kafka as one KRaft node that is broker and controller. The jars come through Maven, whose
// own settings say from where; topics are never created by accident.

const KAFKA_VERSION = '4.3.1'
const HEAP = '-Xmx512m'

const run = promisify(execFile)

export const kafka: Service = Object.freeze<Service>({
  name: 'kafka',
  portDefault: 19092,
  async unavailable() {
    for (const [program, version] of [
      ['java', '-version'],
      ['mvn', '-version'],
    ] as const) {
      try {
        await run(program, [version])
      } catch {
        return `\`${program}\` does not run; Kafka needs Java 17 or newer, and Maven to fetch it.`
      }
    }
    return null
  },
  async prepare(place) {
    await fetchJars(place)
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

async function fetchJars(place: ServicePlace): Promise<void> {
  const target = jarFolder(place)
  if (existsSync(target) && readdirSync(target).length > 0) return
  place.say(`kafka: fetching Apache Kafka ${KAFKA_VERSION} (about 100 MB, once)`)
  mkdirSync(place.downloadFolder, { recursive: true })
  const pom = path.join(place.downloadFolder, 'pom.xml')
  writeFileSync(pom, POM)
  const arriving = `${target}.arriving`
  rmSync(arriving, { recursive: true, force: true })
  await run(
    'mvn',
    ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${arriving}`],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  renameSync(arriving, target)
}

const POM = `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mekong</groupId>
  <artifactId>kafka-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
`

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
