import type { SimulatedRequest, SimulatorPlan } from 'mekong'
import { mulberry32, type Random, skewed, weighted } from './simulated-chance.ts'
import { payloadOf } from './simulated-payload.ts'

const EVENTS_PER_REQUEST = 250
const USER_COUNT = 4_000
const REPO_COUNT = 6_000
/** Of a hundred thousand events, as two hours of GH Archive have them. */
const EVENT_TYPES = [
  ['PushEvent', 55_720],
  ['CreateEvent', 10_190],
  ['IssueCommentEvent', 8_600],
  ['WatchEvent', 8_530],
  ['IssuesEvent', 4_650],
  ['PullRequestEvent', 4_020],
  ['ForkEvent', 2_880],
  ['DeleteEvent', 1_470],
  ['GollumEvent', 1_300],
  ['PullRequestReviewCommentEvent', 1_170],
  ['CommitCommentEvent', 780],
  ['ReleaseEvent', 440],
  ['MemberEvent', 190],
  ['PublicEvent', 60],
] as const
/** How the events of one day are spread over its 24 hours, in UTC: fewer while Europe and America sleep. */
const HOUR_WEIGHTS = [6, 5, 5, 5, 4, 4, 5, 6, 7, 8, 8, 8, 8, 10, 11, 11, 11, 11, 10, 10, 9, 9, 8, 7]
/** Bots push around the clock, and much more than anyone else. */
const BOT_COUNT = 5

/**
 * Yesterday on GitHub: a few repositories and users make most of the events, bots push all night, some events come twice, a few lack something,
 * and now and then somebody plays an hour from before 2015.
 */
export const simulator: SimulatorPlan = {
  eventCountDefault: 10_000,
  *requests({ seed, eventCount, nowMs }): Generator<SimulatedRequest> {
    const random = mulberry32(seed)
    const sent: object[] = []
    for (let from = 0; from < eventCount; from += EVENTS_PER_REQUEST) {
      const count = Math.min(EVENTS_PER_REQUEST, eventCount - from)
      const events = Array.from({ length: count }, (_, index) => {
        const dice = random()
        if (dice < 0.002) return brokenEvent(random)
        if (dice < 0.003) return olderEvent(random, seed * 1_000_000 + from + index)
        if (dice < 0.013 && sent.length > 0) return sent[Math.floor(random() * sent.length)]!
        const event = someEvent(
          random,
          `${4_000_000_000 + seed * 10_000_000 + from + index}`,
          nowMs,
        )
        if (sent.length < 1_000) sent.push(event)
        return event
      })
      yield { path: '/collect', events }
    }
  },
}

function someEvent(random: Random, id: string, nowMs: number) {
  const isBot = random() < 0.08
  const user = isBot ? Math.floor(random() * BOT_COUNT) : BOT_COUNT + skewed(random, USER_COUNT)
  const repo = isBot ? user : skewed(random, REPO_COUNT)
  const type = isBot ? 'PushEvent' : weighted(random, EVENT_TYPES)
  const login = loginOf(user)
  const createdMs = momentOfDay(random, nowMs)
  return {
    id,
    type,
    actor: {
      id: 1_000 + user,
      login,
      gravatar_id: '',
      url: `https://api.github.com/users/${login}`,
      avatar_url: `https://avatars.githubusercontent.com/u/${1_000 + user}?`,
    },
    repo: repoOf(repo),
    payload: payloadOf(type, random, isoSeconds(createdMs)),
    public: true,
    created_at: isoSeconds(createdMs),
    ...(random() < 0.3 ? { org: { id: 70 + (repo % 40), login: `org-${repo % 40}` } } : {}),
  }
}

const loginOf = (user: number) => (user < BOT_COUNT ? `mirror-bot-${user}` : `dev${user}`)

function repoOf(repo: number) {
  const name = `${loginOf(repo)}/project-${repo}`
  return { id: 50_000 + repo, name, url: `https://api.github.com/repos/${name}` }
}

function brokenEvent(random: Random): object | string {
  const broken: (object | string)[] = [
    '{"id":"17","type":"PushEvent","actor":{"id":7,',
    { id: '18', type: 'WatchEvent', repo: repoOf(3), payload: {}, public: true },
    { ...someEvent(random, '19', 0), actor: { id: 'seven', login: 'dev7' } },
    { ...someEvent(random, '20', 0), created_at: 'yesterday' },
  ]
  return broken[Math.floor(random() * broken.length)]!
}

/** As GH Archive had them until 2014. The fork tells its owner's number, the push does not tell anyone's. */
function olderEvent(random: Random, number: number): object {
  const login = loginOf(BOT_COUNT + skewed(random, USER_COUNT))
  const isFork = random() < 0.5
  return {
    created_at: `2012-03-${10 + (number % 20)}T22:55:13-08:00`,
    type: isFork ? 'ForkEvent' : 'PushEvent',
    public: true,
    actor: login,
    actor_attributes: { login, type: 'User', gravatar_id: '' },
    repository: { id: 900 + (number % 50), name: 'engine', owner: 'ada' },
    payload: isFork
      ? { forkee: { id: number, owner: { login, id: 1_000 + (number % USER_COUNT) } } }
      : { size: 1, ref: 'refs/heads/master', shas: [[String(number), '', 'Fix', 'Ada']] },
  }
}

function momentOfDay(random: Random, nowMs: number): number {
  const hour = weighted(
    random,
    HOUR_WEIGHTS.map((weight, index) => [index, weight] as const),
  )
  const yesterdayMs = Math.floor(nowMs / 86_400_000) * 86_400_000 - 86_400_000
  return yesterdayMs + hour * 3_600_000 + Math.floor(random() * 3_600_000)
}

const isoSeconds = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
