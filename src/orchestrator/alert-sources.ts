import type { LakeCatalog } from '../flow/lake-catalog.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { StateStore } from '../state/state-store.ts'
import type { AlertSettings, AlertSources } from './alerts/alerts.ts'
import type { Settings } from './settings.ts'

export const alertSettings = (settings: Settings): AlertSettings => ({
  webhookUrl: settings.alertWebhookUrl,
  intervalMs: settings.alertIntervalSeconds * 1_000,
  staleMs: settings.alertStaleMinutes * 60_000,
  letterGrowthMin: settings.alertDeadLetters,
})

/** What a platform shows to those who look for trouble. */
export function alertSources({
  plans,
  state,
  lake,
  ledger,
}: {
  readonly plans: readonly PipelinePlan[]
  readonly state: StateStore
  readonly lake: LakeCatalog
  readonly ledger: () => Promise<readonly LedgerLine[]>
}): AlertSources {
  return {
    ledger,
    async letters() {
      const counts = new Map<string, number>()
      for (const { pipeline, hop, letters } of await state.counts()) {
        const place = `${pipeline}\n${hop}`
        counts.set(place, (counts.get(place) ?? 0) + letters)
      }
      return counts
    },
    async tables() {
      const names = await lake.names()
      const fed = plans.flatMap((plan) =>
        plan.tables.map(({ name }) => ({ pipeline: plan.name, table: name })),
      )
      return Promise.all(
        fed
          .filter(({ table }) => names.includes(table))
          .map(async (one) => {
            const [newest] = await lake.history(one.table, 1)
            return { ...one, committedMs: newest?.committedMs }
          }),
      )
    },
  }
}
