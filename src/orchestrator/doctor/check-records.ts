import type { LedgerLine } from '../../model/ledger.ts'
import type { HomeReader } from '../home-reader.ts'
import { type Finding, fail, finding, ok, warn } from './finding.ts'

/** Whether the log opens and tells its topics, in the home or on Kafka. */
export function checkLog(reader: HomeReader): Promise<Finding> {
  const todo =
    'Read the message; a log that cannot be read holds what was accepted, so keep its files.'
  return finding('log', todo, async () => {
    const topics = (await (await reader.log())?.topics()) ?? []
    const kept = topics
      .flatMap(({ bounds }) => bounds)
      .reduce((sum, { offsetStart, offsetEnd }) => sum + offsetEnd - offsetStart, 0)
    return ok(
      'log',
      topics.length === 0 ? 'empty' : `${topics.length} topics, ${kept} records kept`,
    )
  })
}

/** Dead letters that somebody still has to decide about. */
export function checkLetters(reader: HomeReader): Promise<Finding> {
  return finding('dead letters', 'Look at them with "mekong dlq list".', async () => {
    const counts = (await (await reader.state())?.counts()) ?? []
    const waiting = counts
      .filter(({ status }) => status === 'open' || status === 'fixed')
      .reduce((sum, { letters }) => sum + letters, 0)
    return waiting === 0
      ? ok('dead letters', 'none wait')
      : warn('dead letters', `${waiting} wait to be looked at`, 'mekong dlq list')
  })
}

/** Whether nothing is missing; `read` asks the running platform, or the home at rest. */
export function checkLedger(
  read: () => Promise<readonly Pick<LedgerLine, 'pipeline' | 'hop' | 'balanced'>[]>,
): Promise<Finding> {
  return finding('ledger', 'See "mekong ledger".', async () => {
    const lines = await read()
    if (lines.length === 0) return ok('ledger', 'nothing was received yet')
    const wrong = lines.filter(({ balanced }) => !balanced)
    const names = wrong.map(({ pipeline, hop }) => `${pipeline} / ${hop}`).join(', ')
    return wrong.length === 0
      ? ok('ledger', `balances at all ${lines.length} hops`)
      : fail('ledger', `does not balance: ${names}`, 'See "mekong ledger" for the numbers.')
  })
}
