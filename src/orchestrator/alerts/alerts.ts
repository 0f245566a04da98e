import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../model/clock.ts'
import { messageOf } from '../../model/errors.ts'
import type { LedgerLine } from '../../model/ledger.ts'
import type { RunDetail } from '../../state/run-store.ts'
import type { Alert, Trouble } from './alert.ts'
import { sendWebhook } from './send-webhook.ts'
import {
  changesOf,
  type LetterCounts,
  letterGrowth,
  runAlerts,
  staleTables,
  type TableAge,
  unbalanced,
} from './troubles.ts'

// Who tells people about trouble.
//
// Comes in: how runs end, and what is found at each look: ledger, dead letters, ages of tables. Goes out: a line in the log and a call of a
// webhook when trouble begins and when it is over. Survives a crash: nothing; trouble that stands is found and told again.

export interface AlertSettings {
  /** `undefined`: alerts are lines in the log only. A secret. */
  readonly webhookUrl: string | undefined
  readonly intervalMs: number
  /** 0: no table is ever too old. */
  readonly staleMs: number
  /** New dead letters between two looks that are worth an alert; 0: none are. */
  readonly letterGrowthMin: number
}

export interface AlertsOptions {
  readonly settings: AlertSettings
  readonly clock: Clock
  readonly onNotice: (line: string) => void
}

/** What is looked at. */
export interface AlertSources {
  ledger(): Promise<readonly LedgerLine[]>
  letters(): Promise<LetterCounts>
  tables(): Promise<readonly TableAge[]>
}

export interface Alerts {
  /** Tell what a run that has ended says. */
  runEnded(detail: RunDetail): void
  /** Look again and again, until stopped. */
  watch(sources: AlertSources): void
  /** Ends looking, and waits a moment for what is being told. */
  stop(): Promise<void>
}

/** A webhook that does not answer holds nobody up for longer when the platform stops. */
const STOP_MS_MAX = 5_000

export function openAlerts({ settings, clock, onNotice }: AlertsOptions): Alerts {
  const stopping = new AbortController()
  const cutting = new AbortController()
  const telling = new Set<Promise<void>>()
  const failing = new Set<string>()
  let watching: Promise<void> = Promise.resolve()

  const tell = (alert: Alert) => {
    onNotice(`${alert.status === 'raised' ? 'ALERT' : 'resolved'}: ${alert.summary}`)
    if (settings.webhookUrl === undefined) return
    const told = sendWebhook(settings.webhookUrl, alert, {
      ...{ atMs: clock.nowMs(), signal: cutting.signal },
    })
      .then((why) => {
        if (why !== undefined) onNotice(`The webhook was not told of "${alert.key}": ${why}.`)
      })
      .finally(() => telling.delete(told))
    telling.add(told)
  }

  return {
    runEnded(detail) {
      for (const alert of runAlerts(detail, failing)) {
        if (alert.status === 'raised') failing.add(alert.key)
        else failing.delete(alert.key)
        tell(alert)
      }
    },
    watch(sources) {
      watching = look({ settings, clock, onNotice, tell, signal: stopping.signal }, sources)
    },
    async stop() {
      stopping.abort()
      await watching
      const patience = sleep(STOP_MS_MAX, undefined, { ref: false }).then(() => cutting.abort())
      await Promise.race([Promise.all(telling), patience])
      await Promise.all(telling)
    },
  }
}

interface Look extends AlertsOptions {
  readonly tell: (alert: Alert) => void
  readonly signal: AbortSignal
}

async function look(
  { settings, clock, onNotice, tell, signal }: Look,
  sources: AlertSources,
): Promise<void> {
  const { intervalMs, staleMs, letterGrowthMin } = settings
  let letters: LetterCounts | undefined
  let standing = new Map<string, Trouble>()
  /** What did not balance at the look before: records in motion are no trouble. */
  let suspected = new Set<string>()
  while (!signal.aborted) {
    try {
      const found = unbalanced(await sources.ledger())
      const troubles = [
        ...found.filter(({ key }) => suspected.has(key)),
        ...(staleMs === 0
          ? []
          : staleTables(await sources.tables(), { nowMs: clock.nowMs(), staleMs })),
      ]
      suspected = new Set(found.map(({ key }) => key))
      for (const alert of changesOf(standing, troubles)) tell(alert)
      standing = new Map(troubles.map((trouble) => [trouble.key, trouble]))
      const counted = await sources.letters()
      if (letterGrowthMin > 0 && letters !== undefined)
        for (const alert of letterGrowth(letters, counted, letterGrowthMin)) tell(alert)
      letters = counted
    } catch (error) {
      onNotice(`Trouble was not looked for this time: ${messageOf(error)}`)
    }
    await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => {})
  }
}
