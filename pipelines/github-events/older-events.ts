import { createHash } from 'node:crypto'
import type { Upgrade, UpgradeOutcome } from 'mekong'
import type { GitHubEvent } from './schema.ts'

// GH Archive has three shapes of events from before 2015:
//
//   Events API, early      as today, without an avatar or an id here and there
//   Timeline API           "actor": "login", "actor_attributes": {…}, "repository": {"id", "name", "owner", …}; no id; times with an offset
//   Timeline API, earliest the same, with times as 2012/03/10 22:55:13 -0800
//
// What follows from them with certainty is filled in. The actor's number does not, unless the payload names the same login with its number; an
// event without it, or without a repository, cannot be counted for anyone and becomes a dead letter.

type Json = Readonly<Record<string, unknown>>

/** Today's shape begins here. */
const TODAY_MS = Date.UTC(2015, 0, 1)

/** Brings an event of an older shape into today's; `undefined` for everything that does not look like one. */
export const upgradeOlderEvent: Upgrade = (record) => {
  const createdMs = instantMs(record.created_at)
  if (typeof record.actor === 'string' || isJson(record.repository)) {
    return createdMs === undefined ? undefined : fromTimeline(record, createdMs)
  }
  if (createdMs === undefined || createdMs >= TODAY_MS) return undefined
  return fromEarlyEvents(record, createdMs)
}

function fromTimeline(record: Json, createdMs: number): UpgradeOutcome {
  const { actor: login, actor_attributes: attributes, repository, payload = null } = record
  if (typeof login !== 'string' || login === '') return impossible('it names no actor')
  if (!isJson(repository)) return impossible('it names no repository')
  const { id, name, owner } = repository
  if (typeof id !== 'number' || typeof name !== 'string' || typeof owner !== 'string')
    return impossible('its repository has no id, name or owner')
  const actorId = userId(payload, login)
  if (actorId === undefined) return impossible(`it does not tell the id of its actor "${login}"`)
  const gravatar = isJson(attributes) ? attributes.gravatar_id : undefined
  const fullName = `${owner}/${name}`
  return upgraded(record, createdMs, {
    actor: actorOf(actorId, login, { gravatar_id: gravatar }),
    repo: { id, name: fullName, url: `https://api.github.com/repos/${fullName}` },
  })
}

function fromEarlyEvents(record: Json, createdMs: number): UpgradeOutcome | undefined {
  const { actor, repo } = record
  if (!isJson(actor) || !isJson(repo)) return undefined
  const { id, login } = actor
  if (typeof id !== 'number' || typeof login !== 'string' || login === '')
    return impossible('it does not tell the id and login of its actor')
  if (typeof repo.id !== 'number' || typeof repo.name !== 'string' || repo.name === '')
    return impossible('it does not tell the id and name of its repository')
  const url = typeof repo.url === 'string' ? repo.url : `https://api.github.com/repos/${repo.name}`
  return upgraded(record, createdMs, {
    actor: actorOf(id, login, actor),
    repo: { id: repo.id, name: repo.name, url },
  })
}

function upgraded(
  record: Json,
  createdMs: number,
  { actor, repo }: Pick<GitHubEvent, 'actor' | 'repo'>,
): UpgradeOutcome {
  const { id, type, payload = null } = record
  if (typeof type !== 'string' || type === '') return impossible('it has no type')
  const event: GitHubEvent = {
    id: typeof id === 'string' && id !== '' ? id : contentId(record),
    type,
    actor,
    repo,
    payload,
    // The archive holds the public timeline and nothing else.
    public: record.public !== false,
    created_at: new Date(createdMs).toISOString().replace('.000Z', 'Z'),
  }
  return { status: 'upgraded', record: event }
}

const actorOf = (id: number, login: string, known: Json): GitHubEvent['actor'] => ({
  id,
  login,
  gravatar_id: textOr(known.gravatar_id, ''),
  url: textOr(known.url, `https://api.github.com/users/${login}`),
  avatar_url: textOr(known.avatar_url, ''),
})

/** The number of a user that the payload names by login, wherever it does: an account has had one number always. */
function userId(value: unknown, login: string): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { login: found, id } = value as Json
  if (found === login && typeof id === 'number' && Number.isSafeInteger(id)) return id
  for (const part of Object.values(value)) {
    const inside = userId(part, login)
    if (inside !== undefined) return inside
  }
  return undefined
}

/** Events of the timeline had no id: the same content is the same event. */
function contentId(record: Json): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(sorted(record)))
    .digest('hex')
  return `timeline-${digest.slice(0, 32)}`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, part]) => [name, sorted(part)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const TIME = /^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d) ?(Z|[+-]\d\d:?\d\d)$/

function instantMs(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const [, year, month, day, time, zone] = TIME.exec(value) ?? []
  if (zone === undefined) return undefined
  const offset = zone === 'Z' ? zone : `${zone.slice(0, 3)}:${zone.slice(-2)}`
  const ms = Date.parse(`${year}-${month}-${day}T${time}${offset}`)
  return Number.isNaN(ms) ? undefined : ms
}

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOr = (value: unknown, otherwise: string) =>
  typeof value === 'string' ? value : otherwise

const impossible = (why: string): UpgradeOutcome => ({
  status: 'impossible',
  message: `The event has the shape that GH Archive used before 2015, and ${why}.`,
})
