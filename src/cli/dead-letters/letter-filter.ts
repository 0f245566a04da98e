import type { StoredLetter } from '../../state/letter-rows.ts'
import { LETTER_STATUSES, type LetterStatus } from '../../state/letter-status.ts'
import type { StateStore } from '../../state/state-store.ts'
import { type CommandContext, UsageError } from '../command.ts'

/** Those that somebody still has to decide about. */
const WAITING: readonly LetterStatus[] = ['open', 'fixed']
const PAGE_SIZE = 1_000

/** The statuses that `--status` names. @throws UsageError */
export function wantedStatuses({ options }: CommandContext): readonly LetterStatus[] {
  const { status } = options
  if (status === undefined) return WAITING
  if (status === 'all') return LETTER_STATUSES
  const known = LETTER_STATUSES.find((name) => name === status)
  if (known !== undefined) return [known]
  throw new UsageError(`--status takes ${LETTER_STATUSES.join(', ')} or all, not "${status}".`)
}

/** Letters that the options choose, oldest first, up to `limit`. */
export async function chosenLetters(
  state: StateStore,
  { options }: CommandContext,
  { statuses, limit }: { readonly statuses: readonly LetterStatus[]; readonly limit: number },
): Promise<readonly StoredLetter[]> {
  const filter = Object.fromEntries(
    (['pipeline', 'hop', 'reason'] as const).flatMap((name) => {
      const value = options[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
  const found: StoredLetter[] = []
  let after: string | undefined
  while (found.length < limit) {
    const page = await state.list({
      ...filter,
      limit: PAGE_SIZE,
      ...(after === undefined ? {} : { after }),
    })
    found.push(...page.filter(({ status }) => statuses.includes(status)))
    if (page.length < PAGE_SIZE) break
    after = page.at(-1)!.id
  }
  return found.slice(0, limit)
}
