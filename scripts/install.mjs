// Installs what is missing, and nothing when nothing is. Runs before `npm start` and `npm test`, on whatever Node the machine
// has (20 or newer); everything after it runs on the Node that package.json pins.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(
  import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
  '..',
)
const stamp = path.join(root, 'node_modules', '.mekong-installed')
const wanted = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex')
const present =
  existsSync(path.join(root, 'node_modules', 'node', 'bin', 'node')) &&
  (existsSync(stamp) ? readFileSync(stamp, 'utf8') === wanted : false)

if (!present) {
  console.error('Installing what is missing (once, a minute or so) …')
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  // Not `npm ci`: it refuses a lock without the binaries of every other platform, which not every registry mirror has.
  const { status } = spawnSync(
    command,
    [...first, 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, stdio: ['ignore', 2, 2] },
  )
  if (status !== 0) {
    console.error('npm install failed: see above. Nothing was started.')
    process.exit(status ?? 1)
  }
  writeFileSync(stamp, wanted)
}
