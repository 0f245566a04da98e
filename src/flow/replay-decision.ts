import type { Clock } from '../model/clock.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { DeadLetterStateError } from '../state/errors.ts'
import type { StoredLetter } from '../state/letter-rows.ts'
import { letterTransition } from '../state/letter-status.ts'
import type { StateStore } from '../state/state-store.ts'
import { previewReplay, type ReplayContext, replayLetter } from './replay.ts'
import { type ReplayPreview, ReplayRefusedError } from './replay-preview.ts'

/** What became of the wish to replay a letter. */
export type ReplayOutcome =
  /** It is in the log, at `topic/partition/offset`, and its hop takes it from there; a line of a file is in its day. */
  | { readonly status: 'replayed'; readonly to: string }
  /** It went before; nothing was sent now. */
  | { readonly status: 'already_replayed'; readonly to: string }
  /** A dry run: nothing was sent. */
  | { readonly status: 'would_replay'; readonly preview: ReplayPreview }
  /** It would die again; nothing was sent. */
  | { readonly status: 'would_die_again'; readonly preview: DeadPreview }
  /** Somebody decided against it; mending it brings it back. Nothing was sent. */
  | { readonly status: 'dropped' }
  /** Its pipeline or hop is not configured. Nothing was sent. */
  | { readonly status: 'impossible'; readonly message: string }

export type DeadPreview = Extract<ReplayPreview, { readonly status: 'dead' }>

/** A preview, or why there can be none: the letter's pipeline is no longer configured. */
export type LetterPreview =
  | ReplayPreview
  | { readonly status: 'impossible'; readonly message: string }

export interface ReplayWish {
  /** Send it even if it would die again. Default false. */
  readonly force?: boolean
  /** Only say what would happen. Default false. */
  readonly dryRun?: boolean
}

export interface ReplayDecisionContext extends ReplayContext {
  readonly state: Pick<StateStore, 'markReplayed' | 'find'>
  readonly engine: ComputeEngine
  readonly clock: Clock
}

/** What would become of a letter now. Never throws for the letter's own sake. */
export async function previewLetter(
  context: Parameters<typeof previewReplay>[0],
  letter: StoredLetter,
): Promise<LetterPreview> {
  try {
    return await previewReplay(context, letter)
  } catch (error) {
    if (!(error instanceof ReplayRefusedError)) throw error
    return { status: 'impossible', message: error.message }
  }
}

/** Whether to replay a letter, and what would become of it. Changes nothing. */
export async function decideReplay(
  context: Parameters<typeof previewReplay>[0],
  letter: StoredLetter,
  { force = false }: Pick<ReplayWish, 'force'> = {},
): Promise<Exclude<ReplayOutcome, { readonly status: 'replayed' }>> {
  if (letter.replayedTo !== null) return { status: 'already_replayed', to: letter.replayedTo }
  if (letterTransition(letter.status, 'replay') === undefined) return { status: 'dropped' }
  const preview = await previewLetter(context, letter)
  if (preview.status === 'impossible') return preview
  if (preview.status === 'dead' && !force) return { status: 'would_die_again', preview }
  return { status: 'would_replay', preview }
}

/**
 * Replay a letter if that makes sense: one that would die again stays where it is unless forced, and one that went already is not sent twice.
 * @throws ReplayRefusedError when the log does not take it
 */
export async function replayIfSensible(
  context: ReplayDecisionContext,
  letter: StoredLetter,
  wish: ReplayWish,
): Promise<ReplayOutcome> {
  const decision = await decideReplay(context, letter, wish)
  if (decision.status !== 'would_replay' || wish.dryRun === true) return decision
  try {
    return { status: 'replayed', to: await replayLetter(context, letter) }
  } catch (error) {
    if (!(error instanceof DeadLetterStateError)) throw error
    // Somebody else replayed it since we looked; both appends were one.
    const { replayedTo } = await context.state.find(letter.id)
    if (replayedTo === null) throw error
    return { status: 'already_replayed', to: replayedTo }
  }
}
