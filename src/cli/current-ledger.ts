import { type LedgerView, ledgerView } from '../api/views.ts'
import { homeUse } from '../orchestrator/home.ts'
import type { HomeReader } from '../orchestrator/home-reader.ts'
import { restingLedger } from '../orchestrator/resting-ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { CommandContext } from './command.ts'
import { askedOf } from './running-platform.ts'

/** The ledger as it stands: asked of the running platform, or read from the home where none runs. */
export async function currentLedger(
  context: CommandContext,
  reader: HomeReader,
  plans: readonly PipelinePlan[],
): Promise<LedgerView> {
  const use = homeUse(reader.home)
  if (use.status !== 'running') return ledgerView(await restingLedger(reader, plans))
  const [only] = plans
  const path =
    plans.length === 1 ? `/v1/ledger?pipeline=${encodeURIComponent(only!.name)}` : '/v1/ledger'
  return askedOf<LedgerView>(use.running, context, { path })
}
