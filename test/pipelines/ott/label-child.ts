import { openAiModel } from '../../../src/enrich/openai/client.ts'
import { openOttHome } from './ott-home.ts'

// label-child.ts HOME URL: labels the searches of a home with the model at URL, few at a time. To be killed.

const [folder, baseUrl] = process.argv.slice(2) as [string, string]
const home = await openOttHome(folder)
await home.run({
  labelModel: {
    port: openAiModel({ baseUrl, apiKey: 'test', model: 'tiny' }),
    prices: { inputCents: 5, outputCents: 40 },
    budgetUsd: 1_000,
    limits: { textsPerCall: 20, callsAtOnce: 2 },
  },
})
process.exit(0)
