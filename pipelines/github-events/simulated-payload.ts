import { type Random, weighted } from './simulated-chance.ts'

const BRANCHES = [
  ['master', 60],
  ['main', 5],
  ['develop', 15],
  ['gh-pages', 10],
  ['fix/typo', 10],
] as const
/** Most pushes bring one commit, a few bring hundreds. */
const COMMIT_COUNTS = [
  [1, 760],
  [2, 120],
  [4, 70],
  [12, 40],
  [300, 10],
] as const

/** What an event of a type brings along, in the shape that GitHub gives it and with the fields that matter here. */
export function payloadOf(type: string, random: Random, at: string): object {
  const number = 1 + Math.floor(random() * 900)
  const action = weighted(random, [
    ['opened', 55],
    ['closed', 40],
    ['reopened', 5],
  ])
  switch (type) {
    case 'PushEvent':
      return push(random)
    case 'CreateEvent':
    case 'DeleteEvent':
      return created(type, random)
    case 'IssuesEvent':
      return { action, issue: issue(number, action) }
    case 'IssueCommentEvent':
      return {
        action: 'created',
        issue: issue(number, 'opened'),
        comment: { id: number, body: 'Thanks!' },
      }
    case 'PullRequestEvent':
      return { action, number, pull_request: pullRequest(number, action, random, at) }
    case 'PullRequestReviewCommentEvent':
      return {
        action: 'created',
        comment: { id: number, body: 'Nit: one space too many.' },
        pull_request: pullRequest(number, 'opened', random, at),
      }
    case 'WatchEvent':
      return { action: 'started' }
    case 'ForkEvent':
      return { forkee: { id: 800_000 + number, full_name: `fork-${number}/project` } }
    case 'GollumEvent':
      return { pages: [{ page_name: 'Home', title: 'Home', action: 'edited' }] }
    case 'ReleaseEvent':
      return { action: 'published', release: { id: number, tag_name: `v1.${number}` } }
    case 'MemberEvent':
      return { action: 'added', member: { id: 1_000 + number, login: `dev${number}` } }
    case 'CommitCommentEvent':
      return { comment: { id: number, commit_id: sha(random), body: 'Why?' } }
    default:
      return {}
  }
}

function push(random: Random) {
  const size = weighted(random, COMMIT_COUNTS)
  return {
    push_id: Math.floor(random() * 1e9),
    size,
    distinct_size: Math.max(1, size - Math.floor(random() * 3)),
    ref: `refs/heads/${weighted(random, BRANCHES)}`,
    head: sha(random),
    // GitHub lists twenty of them at most.
    commits: Array.from({ length: Math.min(size, 20) }, (_, index) => ({
      sha: sha(random),
      author: { name: 'A developer', email: 'a.developer@example.com' },
      message: `Change ${index + 1} of ${size}`,
      distinct: true,
    })),
  }
}

function created(type: string, random: Random) {
  const refType = weighted(random, [
    ['branch', 50],
    ['repository', type === 'CreateEvent' ? 40 : 0],
    ['tag', 10],
  ])
  const ref = refType === 'tag' ? 'v1.0.0' : weighted(random, BRANCHES)
  return { ref: refType === 'repository' ? null : ref, ref_type: refType }
}

const issue = (number: number, action: string) => ({
  id: 60_000 + number,
  number,
  title: ` It does not work (${number}) `,
  state: action === 'closed' ? 'closed' : 'open',
})

function pullRequest(number: number, action: string, random: Random, at: string) {
  const merged = action === 'closed' && random() < 0.85
  return {
    id: 70_000 + number,
    number,
    title: `Make it work (${number})`,
    state: action === 'closed' ? 'closed' : 'open',
    merged,
    merged_at: merged ? at : null,
  }
}

const sha = (random: Random) =>
  Array.from({ length: 5 }, () =>
    Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
