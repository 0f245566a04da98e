import { isJsonObject, MendError, mendFields } from '../flow/mend-value.ts'
import { previewLetter, replayIfSensible } from '../flow/replay-decision.ts'
import type { HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import type { LetterFilter, StoredLetter } from '../state/letter-rows.ts'
import type { LetterStatus } from '../state/letter-status.ts'
import { apiRoute } from './exchange.ts'
import { readJsonObject, refusal } from './read-request.ts'

// Many dead letters at once: those of one cause are mended in one way.

const ACTIONS = ['replay', 'drop', 'fix'] as const
type Action = (typeof ACTIONS)[number]

/** Each is looked at by the engine; so many take some seconds, and then the caller asks again for the rest. */
const LETTER_COUNT_MAX = 500

/** Those that somebody still has to decide about. */
const WAITING: readonly LetterStatus[] = ['open', 'fixed']

type JsonObject = Readonly<Record<string, unknown>>

const BODY = {
  type: 'object',
  required: ['action'],
  description: 'Letters by `ids`, or all that wait of a `pipeline`, `hop` and `reason`.',
  properties: {
    action: { enum: ACTIONS },
    ids: { type: 'array', items: { type: 'string' } },
    pipeline: { type: 'string' },
    hop: { type: 'string' },
    reason: { type: 'string' },
    set: { type: 'object', description: 'For `fix`: fields to put into each value.' },
    note: { type: 'string', description: 'For `fix` and `drop`.' },
    dry_run: {
      type: 'boolean',
      description: 'Change nothing, and say what would become of each. Default false.',
    },
  },
}

/** Many dead letters over HTTP. */
export function deadLetterBulkRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/v1/dead-letters/bulk',
      summary: 'Replay, drop or mend many dead letters',
      description: `The oldest ${LETTER_COUNT_MAX} that are chosen; \`more\` says whether there are others. A letter that would die again stays where it is. Outcomes are counted in \`outcomes\`, and \`refused\` has the letters that nothing was done to, with the reason.`,
      body: BODY,
      async answer(exchange) {
        const body = await readJsonObject(exchange)
        const action = ACTIONS.find((name) => name === body.action)
        if (action === undefined)
          throw refusal(400, 'bad_parameter', `action is one of ${ACTIONS.join(', ')}.`)
        const wish = { action, set: fieldsOf(action, body), ...noteAndDryRun(body) }
        const { letters, more } = await chosen(platform, body)
        const results: LetterResult[] = []
        for (const letter of letters) {
          if (exchange.closing.aborted) break
          results.push(await act(platform, letter, wish))
        }
        return { action, dry_run: wish.dryRun, ...summaryOf(results), more }
      },
    }),
  ]
}

interface BulkWish {
  readonly action: Action
  /** JSON texts by field. */
  readonly set: Readonly<Record<string, string>>
  readonly note: string | undefined
  readonly dryRun: boolean
}

interface LetterResult {
  readonly id: string
  /** `replayed`, `already_replayed`, `dropped`, `fixed`, or what would be: `row`, `filtered`, `dead`, `impossible`. */
  readonly outcome: string
  /** Why nothing was done. */
  readonly refused?: string
}

async function act(
  platform: Platform,
  letter: StoredLetter,
  { action, set, note, dryRun }: BulkWish,
): Promise<LetterResult> {
  const { id } = letter
  switch (action) {
    case 'drop':
      if (!dryRun) await platform.state.drop(id, note)
      return { id, outcome: 'dropped' }
    case 'fix': {
      const fixed = mended(letter, set)
      if (fixed instanceof MendError) return { id, outcome: 'impossible', refused: fixed.message }
      if (!dryRun) await platform.state.fix(id, fixed, note)
      return previewed(platform, { ...letter, fixed })
    }
    case 'replay': {
      const outcome = await replayIfSensible(platform, letter, { dryRun })
      switch (outcome.status) {
        case 'would_replay':
          return previewed(platform, letter)
        case 'would_die_again':
          return { id, outcome: 'dead', refused: outcome.preview.message }
        case 'impossible':
          return { id, outcome: 'impossible', refused: outcome.message }
        default:
          return { id, outcome: outcome.status }
      }
    }
  }
}

async function previewed(platform: Platform, letter: StoredLetter): Promise<LetterResult> {
  const preview = await previewLetter(platform, letter)
  const refused = 'message' in preview ? { refused: preview.message } : {}
  return { id: letter.id, outcome: preview.status, ...refused }
}

function mended(
  letter: StoredLetter,
  set: Readonly<Record<string, string>>,
): Uint8Array | MendError {
  try {
    return mendFields(letter.fixed ?? letter.value, set)
  } catch (error) {
    if (error instanceof MendError) return error
    throw error
  }
}

function summaryOf(results: readonly LetterResult[]) {
  const groups = Map.groupBy(results, ({ outcome }) => outcome)
  return {
    letters: results.length,
    outcomes: Object.fromEntries([...groups].map(([outcome, each]) => [outcome, each.length])),
    refused: results.flatMap(({ id, refused }) =>
      refused === undefined ? [] : [{ id, message: refused }],
    ),
  }
}

async function chosen({ state }: Platform, body: JsonObject) {
  const { ids } = body
  if (ids !== undefined) {
    const isList = Array.isArray(ids) && ids.every((id) => typeof id === 'string')
    if (!isList || ids.length > LETTER_COUNT_MAX)
      throw refusal(400, 'bad_parameter', `ids are up to ${LETTER_COUNT_MAX} texts.`)
    const found = await Promise.all((ids as string[]).map((id) => state.find(id)))
    return { letters: found.filter(({ status }) => WAITING.includes(status)), more: false }
  }
  const filter: LetterFilter = Object.fromEntries(
    (['pipeline', 'hop', 'reason'] as const).flatMap((name) =>
      typeof body[name] === 'string' ? [[name, body[name]]] : [],
    ),
  )
  if (Object.keys(filter).length === 0)
    throw refusal(
      ...([400, 'bad_parameter'] as const),
      'Say which letters: ids, or at least one of pipeline, hop and reason. Nothing was changed.',
    )
  const letters = await state.list({ ...filter, statuses: WAITING, limit: LETTER_COUNT_MAX + 1 })
  return { letters: letters.slice(0, LETTER_COUNT_MAX), more: letters.length > LETTER_COUNT_MAX }
}

function fieldsOf(action: Action, { set }: JsonObject): Readonly<Record<string, string>> {
  if (action !== 'fix') return {}
  if (isJsonObject(set) && Object.keys(set).length > 0)
    return Object.fromEntries(
      Object.entries(set).map(([name, cell]) => [name, JSON.stringify(cell)]),
    )
  throw refusal(400, 'bad_mend', '"set" is an object with at least one field. Nothing was changed.')
}

const noteAndDryRun = ({ note, dry_run: dryRun }: JsonObject) => ({
  note: typeof note === 'string' ? note : undefined,
  dryRun: dryRun === true,
})
