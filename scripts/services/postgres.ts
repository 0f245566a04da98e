import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Server, ServicePlace } from './service.ts'

// PostgreSQL from Debian's packages: a cluster of its own beside whatever else runs, on loopback, with a password.
// The server refuses to run as root, so root hands it to the user that the package made.

const USER = 'mekong'
const DATABASE = 'mekong'
const PACKAGES = '/usr/lib/postgresql'

const run = promisify(execFile)

export const postgres: Server = Object.freeze<Server>({
  name: 'postgres',
  portDefault: 15_432,
  // "Fast" shutdown: sessions are ended, not waited for.
  stopSignal: 'SIGINT',
  async unavailable() {
    if (programFolder() !== null || isRoot()) return null
    return `\`${PACKAGES}/*/bin/initdb\` is missing; run \`apt-get install postgresql\` as root once.`
  },
  async prepare(place) {
    if (programFolder() === null) await installPackage(place)
    const data = dataFolder(place)
    if (!existsSync(path.join(data, 'PG_VERSION'))) await createCluster(place)
    if (!existsSync(path.join(data, 'server.crt'))) await createCertificate(data)
    writeFileSync(path.join(data, 'postgresql.auto.conf'), serverSettings(place))
    if (isRoot()) await handOver(place)
  },
  command(place) {
    const owner = isRoot() ? packageUser() : null
    return {
      file: path.join(programFolder()!, 'postgres'),
      args: ['-D', dataFolder(place)],
      cwd: dataFolder(place),
      ...(owner === null ? {} : owner),
    }
  },
  ready: (place) => answersQuery(place),
  async afterStart(place) {
    const client = clientOf(place, 'postgres')
    await client.connect()
    try {
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
      if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
    } finally {
      await client.end()
    }
  },
  environment: (place) => ({
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: String(place.port),
    POSTGRES_DB: DATABASE,
    POSTGRES_USER: USER,
    POSTGRES_PASSWORD: passwordOf(place),
  }),
})

const isRoot = () => process.getuid?.() === 0
const dataFolder = (place: ServicePlace) => path.join(place.folder, 'data')
const passwordFile = (place: ServicePlace) => path.join(place.folder, 'password')

function passwordOf(place: ServicePlace): string {
  return existsSync(passwordFile(place)) ? readFileSync(passwordFile(place), 'utf8') : ''
}

/** The folder with `initdb` and `postgres` of the newest installed version. */
function programFolder(): string | null {
  if (!existsSync(PACKAGES)) return null
  const newest = readdirSync(PACKAGES)
    .filter((version) => existsSync(path.join(PACKAGES, version, 'bin', 'initdb')))
    .sort((a, b) => Number(b) - Number(a))[0]
  return newest === undefined ? null : path.join(PACKAGES, newest, 'bin')
}

async function installPackage(place: ServicePlace): Promise<void> {
  place.say('postgres: installing the package (once)')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['install', '-y', 'postgresql'], { env, maxBuffer: 64 * 1024 * 1024 })
}

/** The user `postgres` that the package creates. */
function packageUser(): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith('postgres:'))
  if (line === undefined) throw new Error('There is no user `postgres`; reinstall the package.')
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

async function createCluster(place: ServicePlace): Promise<void> {
  place.say('postgres: creating its cluster')
  const data = dataFolder(place)
  // What an interrupted attempt left behind has no PG_VERSION and is nobody's.
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(passwordFile(place), randomBytes(18).toString('base64url'), { mode: 0o600 })
  if (isRoot()) await handOver(place)
  await run(
    path.join(programFolder()!, 'initdb'),
    [
      ...['-D', data, '-U', USER, '--pwfile', passwordFile(place)],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C.UTF-8'],
    ],
    { cwd: data, ...(isRoot() ? packageUser() : {}) },
  )
}

/** A certificate for 127.0.0.1 that nobody vouches for; clients that want one get it from the data folder. */
async function createCertificate(data: string): Promise<void> {
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=127.0.0.1'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', path.join(data, 'server.key'), '-out', path.join(data, 'server.crt')],
  ])
  chmodSync(path.join(data, 'server.key'), 0o600)
}

/** Give data and password to the package's user, who must also be able to walk to them. */
async function handOver(place: ServicePlace): Promise<void> {
  const { uid, gid } = packageUser()
  chmodSync(place.folder, 0o755)
  if (existsSync(passwordFile(place))) chownSync(passwordFile(place), uid, gid)
  await run('chown', ['-R', `${uid}:${gid}`, dataFolder(place)])
}

function serverSettings(place: ServicePlace): string {
  return `listen_addresses = '127.0.0.1'
port = ${place.port}
unix_socket_directories = ''
shared_buffers = 128MB
max_wal_size = 1GB
wal_level = logical
max_replication_slots = 40
max_wal_senders = 40
ssl = on
log_min_messages = warning
`
}

function clientOf(place: ServicePlace, database: string): pg.Client {
  return new pg.Client({
    host: '127.0.0.1',
    port: place.port,
    user: USER,
    password: passwordOf(place),
    database,
    ssl: false,
    connectionTimeoutMillis: 2_000,
  })
}

async function answersQuery(place: ServicePlace): Promise<boolean> {
  const client = clientOf(place, 'postgres')
  // A server that goes away while it is asked tells so through an event; it is not ready then.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
