import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import mysql from 'mysql2/promise'
import type { Server, ServicePlace } from './service.ts'

// MariaDB from Debian's packages: a data folder of its own beside whatever else runs, on loopback, with a password. The server refuses to run as root, so root
// hands it to the user that the package made.

const USER = 'mekong'
const DATABASE = 'mekong'
const PROGRAM = '/usr/sbin/mariadbd'

const run = promisify(execFile)

export const mariadb: Server = Object.freeze<Server>({
  name: 'mariadb',
  portDefault: 13_306,
  async unavailable() {
    if (existsSync(PROGRAM) || isRoot()) return null
    return `\`${PROGRAM}\` is missing; run \`apt-get install mariadb-server\` as root once.`
  },
  async prepare(place) {
    if (!existsSync(PROGRAM)) await installPackage(place)
    // Written last, so that a data folder without it is an interrupted attempt.
    if (!existsSync(passwordFile(place))) await createData(place)
    if (isRoot()) await handOver(place)
  },
  command(place) {
    const data = dataFolder(place)
    return {
      file: PROGRAM,
      args: [
        ...[
          '--no-defaults',
          `--datadir=${data}`,
          `--port=${place.port}`,
          '--bind-address=127.0.0.1',
        ],
        ...[
          `--socket=${path.join(data, 'server.sock')}`,
          `--pid-file=${path.join(data, 'server.pid')}`,
        ],
        ...[
          '--character-set-server=utf8mb4',
          '--innodb-buffer-pool-size=256M',
          '--skip-name-resolve',
        ],
        `--init-file=${initFile(place)}`,
      ],
      cwd: data,
      ...(isRoot() ? packageUser() : {}),
    }
  },
  async ready(place) {
    try {
      const connection = await mysql.createConnection(addressOf(place))
      await connection.query('SELECT 1')
      await connection.end()
      return true
    } catch {
      return false
    }
  },
  environment: (place) => {
    const { host, port, database, user, password } = addressOf(place)
    return {
      MYSQL_HOST: host,
      MYSQL_PORT: String(port),
      MYSQL_DATABASE: database,
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
    }
  },
})

const isRoot = () => process.getuid?.() === 0
const dataFolder = (place: ServicePlace) => path.join(place.folder, 'data')
const passwordFile = (place: ServicePlace) => path.join(place.folder, 'password')
const initFile = (place: ServicePlace) => path.join(place.folder, 'init.sql')

const addressOf = (place: ServicePlace) => ({
  host: '127.0.0.1',
  port: place.port,
  database: DATABASE,
  user: USER,
  password: existsSync(passwordFile(place)) ? readFileSync(passwordFile(place), 'utf8') : '',
})

async function installPackage(place: ServicePlace): Promise<void> {
  place.say('mariadb: installing the package (once)')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const args = ['install', '-y', '--no-install-recommends', 'mariadb-server']
  await run('apt-get', args, { env, maxBuffer: 64 * 1024 * 1024 })
}

/** The user `mysql` that the package creates. */
function packageUser(): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith('mysql:'))
  if (line === undefined) throw new Error('There is no user `mysql`; reinstall the package.')
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

async function createData(place: ServicePlace): Promise<void> {
  place.say('mariadb: creating its data folder')
  const data = dataFolder(place)
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data, { mode: 0o700 })
  const user = isRoot() ? ['--user=mysql'] : []
  await run('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--skip-test-db', ...user])
  const password = randomBytes(18).toString('base64url')
  // Read at every start, so that user and database are there whatever happened to them.
  const statements = [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4;`,
    `CREATE OR REPLACE USER ${USER}@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO ${USER}@'127.0.0.1';`,
  ]
  writeFileSync(initFile(place), `${statements.join('\n')}\n`, { mode: 0o600 })
  writeFileSync(passwordFile(place), password, { mode: 0o600 })
}

/** Give data to the package's user, who must also be able to walk to it. */
async function handOver(place: ServicePlace): Promise<void> {
  const { uid, gid } = packageUser()
  chmodSync(place.folder, 0o755)
  chownSync(initFile(place), uid, gid)
  await run('chown', ['-R', `${uid}:${gid}`, dataFolder(place)])
}
