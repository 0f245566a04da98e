import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { fetchJars, hasJars, javaUnavailable } from './maven-jars.ts'
import type { Server, ServicePlace } from './service.ts'

// A server that speaks MongoDB's protocol: mongo-java-server, keeping its documents in an H2 file. MongoDB itself is in no registry that we
// may rely on. What it lacks beside MongoDB (no replication, no transactions, no majority to wait for, no explain) is said in
// docs/operating.md, together with what that leaves unproven.

const VERSION = '1.47.0'

export const mongodb: Server = Object.freeze<Server>({
  name: 'mongodb',
  portDefault: 17017,
  unavailable: () => javaUnavailable('the MongoDB stand-in'),
  async prepare(place) {
    if (!hasJars(jarFolder(place)))
      place.say(`mongodb: fetching mongo-java-server ${VERSION} (about 15 MB, once)`)
    await fetchJars(jarFolder(place), [
      `de.bwaldvogel:mongo-java-server-h2-backend:${VERSION}`,
      'org.slf4j:slf4j-simple:2.0.17',
    ])
    writeFileSync(path.join(place.folder, 'Start.java'), START)
  },
  command: (place) => ({
    file: 'java',
    args: [
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      path.join(jarFolder(place), '*'),
      path.join(place.folder, 'Start.java'),
      String(place.port),
      path.join(place.folder, 'documents.h2'),
    ],
  }),
  ready: (place) => isOpen(place.port),
  environment: (place) => ({ MONGODB_URL: `mongodb://127.0.0.1:${place.port}` }),
})

const jarFolder = (place: ServicePlace) => path.join(place.downloadFolder, `mongodb-${VERSION}`)

/** The server's own main class always takes port 27017, and says that it is older than the driver still talks to. */
const START = `import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

public class Start {
  public static void main(String[] args) throws Exception {
    H2Backend backend = new H2Backend(args[1]);
    backend.version(new MongoVersion() {
      public List<Integer> getVersionArray() { return List.of(5, 0, 0); }
      public int getWireVersion() { return 13; }
    });
    MongoServer server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    Thread.currentThread().join();
  }
}
`

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
