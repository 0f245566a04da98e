import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Toolset } from './service.ts'

// A browser for the tests of the console: Debian's Chromium, which brings nothing of its own to fetch and speaks to nobody by itself.

const PROGRAM = '/usr/bin/chromium'

const run = promisify(execFile)
const isRoot = () => process.getuid?.() === 0

export const chromium: Toolset = Object.freeze<Toolset>({
  name: 'chromium',
  async unavailable() {
    if (existsSync(PROGRAM)) return null
    if (!existsSync('/usr/bin/apt-get'))
      return `\`${PROGRAM}\` is missing, and only Debian's packages are known to bring it.`
    return isRoot() ? null : `\`${PROGRAM}\` is missing; run \`apt-get install chromium\` as root.`
  },
  async prepare(place) {
    if (existsSync(PROGRAM)) return
    place.say('chromium: installing the package (about 100 MB, once)')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const args = ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']
    await run('apt-get', args, { env, maxBuffer: 64 * 1024 * 1024 })
  },
  environment: () => ({ MEKONG_CHROMIUM: PROGRAM }),
})
