import { existsSync } from 'node:fs'
import { systemClock } from '../../model/clock.ts'
import type { HomeReader } from '../../orchestrator/home-reader.ts'
import { DeadLetterMissingError } from '../../state/errors.ts'
import { openStateStore, type StateStore } from '../../state/state-store.ts'

const noLetters = ({ home }: HomeReader) =>
  new DeadLetterMissingError(`There are no dead letters in ${home.path}: nothing ran here yet.`)

/** @throws DeadLetterMissingError when nothing ran here yet */
export async function stateToRead(reader: HomeReader): Promise<StateStore> {
  const state = await reader.state()
  if (state === undefined) throw noLetters(reader)
  return state
}

/**
 * The state opened to change letters; a running platform sees the change at once, because each is one transaction of
 * the file that both have open. @throws DeadLetterMissingError when nothing ran here yet
 */
export async function withStateToChange<T>(
  reader: HomeReader,
  work: (state: StateStore) => Promise<T>,
): Promise<T> {
  const file = reader.home.state
  if (!existsSync(file)) throw noLetters(reader)
  const state = await openStateStore({ file, clock: systemClock })
  try {
    return await work(state)
  } finally {
    await state.close()
  }
}
