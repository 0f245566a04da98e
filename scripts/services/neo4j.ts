import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { fetchJars, hasJars, javaUnavailable } from './maven-jars.ts'
import type { Server, ServicePlace } from './service.ts'

// Neo4j Community, one database, Bolt alone. The jars come through Maven; 5.26 is the long-lived line that runs on Java 17. Maven has no program that
// starts it, so a few lines of Java do, run from their source.

const NEO4J_VERSION = '5.26.12'
const USER = 'neo4j'
/** For a server on loopback that holds tests' data. */
const PASSWORD = 'mekong-neo4j'

export const neo4j: Server = Object.freeze<Server>({
  name: 'neo4j',
  portDefault: 17687,
  unavailable: () => javaUnavailable('Neo4j'),
  async prepare(place) {
    if (!hasJars(jarFolder(place)))
      place.say(`neo4j: fetching Neo4j ${NEO4J_VERSION} (about 150 MB, once)`)
    await fetchJars(jarFolder(place), [
      `org.neo4j:neo4j:${NEO4J_VERSION}`,
      `org.neo4j:neo4j-bolt:${NEO4J_VERSION}`,
    ])
    writeFileSync(path.join(place.folder, 'neo4j.conf'), settings(place))
    writeFileSync(path.join(place.folder, 'Serve.java'), PROGRAM)
  },
  command: (place) => ({
    file: 'java',
    args: [
      '-Xms256m',
      '-Xmx512m',
      '-XX:+UseSerialGC',
      ...MODULES.flatMap((module) => ['--add-opens', `${module}=ALL-UNNAMED`]),
      '-cp',
      path.join(jarFolder(place), '*'),
      path.join(place.folder, 'Serve.java'),
      path.join(place.folder, 'home'),
      path.join(place.folder, 'neo4j.conf'),
    ],
  }),
  ready: ({ port }) => speaksBolt(port),
  environment: ({ port }) => ({
    NEO4J_URI: `bolt://127.0.0.1:${port}`,
    NEO4J_USERNAME: USER,
    NEO4J_PASSWORD: PASSWORD,
  }),
})

const jarFolder = (place: ServicePlace) => path.join(place.downloadFolder, `neo4j-${NEO4J_VERSION}`)

const PROGRAM = `import java.nio.file.Path;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

public class Serve {
  public static void main(String[] args) throws Exception {
    var neo4j = new DatabaseManagementServiceBuilder(Path.of(args[0]))
        .loadPropertiesFromFile(Path.of(args[1]))
        .build();
    Runtime.getRuntime().addShutdownHook(new Thread(neo4j::shutdown));
    Thread.currentThread().join();
  }
}
`

/** As Neo4j's own start script opens them. */
const MODULES = ['java.base/java.nio', 'java.base/java.io', 'java.base/sun.nio.ch']

/** Authentication is off, so that any password does: the server is on loopback and holds nothing but tests. */
const settings = ({ port }: ServicePlace) => `server.default_listen_address=127.0.0.1
server.bolt.enabled=true
server.bolt.listen_address=127.0.0.1:${port}
server.bolt.advertised_address=127.0.0.1:${port}
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=128m
`

/** Bolt's handshake: the magic number and four versions; a server answers with the one it chose. */
function speaksBolt(port: number): Promise<boolean> {
  const hello = Buffer.from('6060b0170000040500000005000004040000000300000000'.slice(0, 40), 'hex')
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(hello))
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
