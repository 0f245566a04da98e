import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { seeded, seedOfRun } from '../crash/seeded.ts'
import { ensureToolset } from '../services.ts'
import {
  digests,
  expectUsers,
  load,
  newFolder,
  numbersByPandas,
  removeFolders,
  runJson,
} from './github-events/github-home.ts'

// Events of three weeks that arrive in any order, load by load. Goal: after every load each user's averages over seven calendar days and sums so
// far are those of all events that have arrived, and making everything anew changes nothing. Judged by pandas.

const DAY_COUNT = 21
const LOAD_COUNT = 5
const EVENTS_PER_LOAD = 60
const USERS = [1, 2, 3, 4, 5]
const TYPES = [
  ...['PushEvent', 'PushEvent', 'WatchEvent', 'IssuesEvent', 'PullRequestEvent', 'ForkEvent'],
  ...['PullRequestReviewCommentEvent', 'IssueCommentEvent', 'CreateEvent', 'DeleteEvent'],
]

afterAll(removeFolders)

test('late events reach every day that counts them in', { timeout: 300_000 }, async (context) => {
  const tools = await ensureToolset('python')
  if ('skip' in tools) return context.skip()
  const chance = seeded(seedOfRun('late events'))
  const home = newFolder()
  const files: string[] = []
  for (let step = 0; step < LOAD_COUNT; step += 1) {
    const events = Array.from({ length: EVENTS_PER_LOAD }, (_, index) =>
      event(chance, `${step}-${String(index).padStart(3, '0')}`),
    )
    const file = path.join(newFolder(), `${step}.json.gz`)
    writeFileSync(file, gzipSync(events.map((each) => JSON.stringify(each)).join('\n')))
    files.push(file)
    const { tasks } = await load(home, [file])
    if (step > 0) expect(tasks.map(({ facts }) => facts.build)).toEqual(Array(3).fill('increment'))
    await expectUsers(home, numbersByPandas(tools.environment.MEKONG_PYTHON!, files))
  }
  const grown = await digests(home)
  await runJson(home, 'run', 'tag:hourly', '--full-refresh')
  expect(await digests(home)).toEqual(grown)
})

function event({ integer, oneOf }: ReturnType<typeof seeded>, id: string) {
  const user = oneOf(USERS)
  const day = String(integer(1, DAY_COUNT)).padStart(2, '0')
  const type = oneOf(TYPES)
  const merged = oneOf([true, false])
  return {
    id,
    type,
    // Users rename themselves, and write their names as they like.
    actor: {
      id: user,
      login: ` User${user}${oneOf(['', '', '-new'])}`,
      gravatar_id: '',
      url: '',
      avatar_url: '',
    },
    repo: { id: integer(1, 3), name: `owner/repo${integer(1, 3)} `, url: '' },
    payload: {
      ...(type === 'PushEvent' ? { size: oneOf([0, 1, 2, 30, null]) } : {}),
      ref: oneOf(['refs/heads/main', 'refs/heads/master', 'refs/tags/v1', null]),
      ...(type.startsWith('PullRequest') ? { pull_request: { id: 1, merged } } : {}),
    },
    public: oneOf([true, true, false]),
    created_at: `2015-03-${day}T${String(integer(0, 23)).padStart(2, '0')}:00:00Z`,
  }
}
