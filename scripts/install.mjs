// Installs what is missing, and nothing when nothing is. Runs before `npm start` and `npm test`, on whatever Node the machine
// has (20 or newer); everything after it runs on the Node that package.json pins.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
  for (const name of leftOut()) {
    console.error(
      `npm left ${name} out, though it is made for this machine: what needs it will say so. ` +
        `Try \`npm install ${name}\` to see why.`,
    )
  }
}

// Optional packages that fit this machine and yet are not there: npm leaves them out without a word, also when one of
// their own dependencies asks for a newer Node than the one that installs.
function leftOut() {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  const fits = (wanted, mine) => !wanted || wanted.includes(mine)
  return Object.keys(packages[''].optionalDependencies ?? {}).filter((name) => {
    const locked = packages[`node_modules/${name}`]
    return (
      locked !== undefined &&
      fits(locked.os, process.platform) &&
      fits(locked.cpu, process.arch) &&
      !existsSync(path.join(root, 'node_modules', name))
    )
  })
}

// The console is built from its sources, once for each state of them.
const consoleFolder = path.join(root, 'console')
const consoleStamp = path.join(consoleFolder, 'dist', '.built-from')
const sources = readdirSync(consoleFolder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
  .filter((file) => !file.startsWith(path.join(consoleFolder, 'dist')))
  .sort()
const state = createHash('sha256').update(wanted)
for (const file of sources) state.update(file.slice(root.length)).update(readFileSync(file))
const built = state.digest('hex')
if (!existsSync(consoleStamp) || readFileSync(consoleStamp, 'utf8') !== built) {
  const node = path.join(root, 'node_modules', 'node', 'bin', 'node')
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const { status } = spawnSync(node, [vite, 'build', 'console', '--logLevel', 'error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status === 0) writeFileSync(consoleStamp, built)
  else console.error('The console could not be built: see above. Everything else works without it.')
}
