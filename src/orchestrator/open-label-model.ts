import { openAiModel } from '../enrich/openai/client.ts'
import type { LabelModelConfig } from '../flow/label-keywords.ts'
import type { Settings } from './settings.ts'

const OPENAI_URL = 'https://api.openai.com/v1'
/** Servers on one's own machine ask for no key, and the client wants one all the same. */
const NO_KEY = 'none'

/** The model that labels texts, as the settings say; `undefined` where they name none, so that rules label. Opens nothing. */
export function labelModelOf(settings: Settings): LabelModelConfig | undefined {
  const { openaiApiKey, openaiBaseUrl, labelModel: model, labelBudgetCents } = settings
  if (openaiApiKey === undefined && openaiBaseUrl === undefined) return undefined
  return {
    port: openAiModel({
      ...{ baseUrl: openaiBaseUrl ?? OPENAI_URL, apiKey: openaiApiKey ?? NO_KEY, model },
    }),
    prices: { inputCents: settings.labelInputCents, outputCents: settings.labelOutputCents },
    budgetUsd: labelBudgetCents / 100,
  }
}
