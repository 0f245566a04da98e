import OpenAI from 'openai'
import { LabelAnswerError } from '../errors.ts'
import type { LabelModelPort, LabelRequest, ModelText } from '../label-request.ts'
import { labelErrorOf } from './errors.ts'

export interface OpenAiOptions {
  /** `https://api.openai.com/v1`, or any server that speaks the same. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly model: string
}

/**
 * A model behind an OpenAI-compatible chat endpoint. One request each call: who calls decides about trying again. Answers are constrained
 * to the schema where the server can do that, and checked by the caller where it cannot.
 */
export function openAiModel({ baseUrl, apiKey, model }: OpenAiOptions): LabelModelPort {
  const client = new OpenAI({ apiKey, baseURL: baseUrl, maxRetries: 0 })
  return {
    model,
    async ask({ system, user, schema }: LabelRequest, signal: AbortSignal): Promise<ModelText> {
      const completion = await client.chat.completions
        .create(
          {
            model,
            messages: [
              { role: 'system', content: system },
              { role: 'user', content: user },
            ],
            response_format: {
              type: 'json_schema',
              json_schema: {
                name: 'labels',
                strict: true,
                schema: schema as Record<string, unknown>,
              },
            },
          },
          { signal },
        )
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
