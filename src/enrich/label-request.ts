import { LabelAnswerError } from './errors.ts'

/** What a model is asked: one label out of a closed list for each text. */
export interface LabelTask {
  /** Rules for the model, the same for every request. */
  readonly prompt: string
  readonly labels: readonly string[]
}

/** One request as messages and the schema that its answer has to follow. */
export interface LabelRequest {
  readonly system: string
  readonly user: string
  readonly schema: object
}

/** What a model said to one request. */
export interface LabelAnswer {
  /** By position in the request; texts without a usable answer are not among them. */
  readonly labels: ReadonlyMap<number, string>
  readonly tokensIn: number
  readonly tokensOut: number
}

/** The port of a provider: one request, one answer, no retries. @throws LabelServiceAwayError, LabelServiceRefusedError, LabelAnswerError */
export interface LabelModelPort {
  readonly model: string
  ask(request: LabelRequest, signal: AbortSignal): Promise<ModelText>
}

export interface ModelText {
  readonly text: string
  readonly tokensIn: number
  readonly tokensOut: number
}

/** Texts travel with their position, and answers come back by it: what a model does to the spelling of a text changes nothing. */
export function labelRequest(
  { prompt, labels }: LabelTask,
  texts: readonly string[],
): LabelRequest {
  return {
    system: prompt,
    user: JSON.stringify({ texts: texts.map((text, id) => ({ id, text })) }),
    schema: {
      type: 'object',
      additionalProperties: false,
      required: ['labels'],
      properties: {
        labels: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['id', 'label'],
            properties: { id: { type: 'integer' }, label: { type: 'string', enum: labels } },
          },
        },
      },
    },
  }
}

/**
 * The labels in a model's text. Positions that were not asked, labels that are not on the list and a position that comes twice with different
 * labels are passed over; they count as not answered.
 * @throws LabelAnswerError when the text is no such answer at all
 */
export function readAnswer(
  { text, tokensIn, tokensOut }: ModelText,
  { labels }: LabelTask,
  textCount: number,
): LabelAnswer {
  let value: unknown
  try {
    // Some servers put JSON into a Markdown fence.
    value = JSON.parse(text.replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, ''))
  } catch (cause) {
    const usage = { tokensIn, tokensOut }
    throw new LabelAnswerError('The model answered with something that is no JSON.', {
      usage,
      cause,
    })
  }
  const rows = (value as { labels?: unknown } | null)?.labels
  if (!Array.isArray(rows))
    throw new LabelAnswerError('The model answered with JSON that has no list of labels.', {
      usage: { tokensIn, tokensOut },
    })
  const known = new Set(labels)
  const found = new Map<number, string>()
  const disputed = new Set<number>()
  for (const row of rows as { id?: unknown; label?: unknown }[]) {
    const { id, label } = row ?? {}
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= textCount) continue
    if (typeof label !== 'string' || !known.has(label)) continue
    if ((found.get(id) ?? label) !== label) disputed.add(id)
    found.set(id, label)
  }
  for (const id of disputed) found.delete(id)
  return { labels: found, tokensIn, tokensOut }
}
