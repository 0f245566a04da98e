import OpenAI from 'openai'
import { LabelAnswerError } from '../errors.ts'
import type { LabelModelPort, LabelRequest, ModelText } from '../label-request.ts'
import { isRefusedRequest, labelErrorOf } from './errors.ts'

export interface OpenAiOptions {
  /** `https://api.openai.com/v1`, or any server that speaks the same. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly model: string
}

/**
 * A model behind an OpenAI-compatible chat endpoint. One request each call: who calls decides about trying again. Answers are constrained
 * to the schema where the server can do that, else to JSON, and checked by the caller in any case.
 */
export function openAiModel({ baseUrl, apiKey, model }: OpenAiOptions): LabelModelPort {
  const client = new OpenAI({ apiKey, baseURL: baseUrl, maxRetries: 0 })
  /** Known once the server has refused a schema and taken the same request without. */
  let takesSchemas = true
  const complete = (request: LabelRequest, withSchema: boolean, signal: AbortSignal) =>
    client.chat.completions.create(
      {
        model,
        messages: [
          { role: 'system', content: request.system },
          { role: 'user', content: request.user },
        ],
        response_format: withSchema ? schemaFormat(request) : { type: 'json_object' },
      },
      { signal },
    )
  return {
    model,
    async ask(request: LabelRequest, signal: AbortSignal): Promise<ModelText> {
      const completion = await complete(request, takesSchemas, signal)
        .catch(async (error: unknown) => {
          if (!takesSchemas || !isRefusedRequest(error)) throw error
          const taken = await complete(request, false, signal)
          takesSchemas = false
          return taken
        })
        .catch((error: unknown) => {
          throw labelErrorOf(error, { model, baseUrl })
        })
      const usage = {
        tokensIn: completion.usage?.prompt_tokens ?? 0,
        tokensOut: completion.usage?.completion_tokens ?? 0,
      }
      const choice = completion.choices?.[0]
      const text = choice?.message?.content
      if (typeof text === 'string' && choice?.finish_reason !== 'length') return { text, ...usage }
      const why = choice?.finish_reason === 'length' ? 'broke off' : 'holds no text'
      throw new LabelAnswerError(`The answer of ${model} ${why}.`, { usage })
    },
  }
}

const schemaFormat = ({ schema }: LabelRequest) => ({
  type: 'json_schema' as const,
  json_schema: { name: 'labels', strict: true, schema: schema as Record<string, unknown> },
})
