/**
 * Turns texts into vectors. Comes in: texts, in batches of any size. Goes out: one vector of length 1 for each, in order. The same text gives the same
 * vector. Nothing is kept here; `embedding-cache.ts` does.
 */
export interface Embedder {
  /** Provider, model and length; vectors of two ids are not comparable. */
  readonly id: string
  readonly dimensions: number
  /** @throws EmbeddingUnavailableError (`later`), EmbeddingRefusedError */
  embed(
    texts: readonly string[],
    kind: EmbeddedAs,
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]>
}

/** Some models want to be told what a text is: something to be found, or a question. */
export type EmbeddedAs = 'passage' | 'query'

/** In place, to length 1; a vector of zeros stays. */
export function normalised(vector: Float32Array): Float32Array {
  let sum = 0
  for (const value of vector) sum += value * value
  if (sum === 0) return vector
  const scale = 1 / Math.sqrt(sum)
  for (let index = 0; index < vector.length; index += 1) vector[index]! *= scale
  return vector
}

/** The prefix that e5 models were trained with (https://huggingface.co/intfloat/e5-large-v2). */
export const prefixed = (model: string, text: string, kind: EmbeddedAs): string =>
  /\be5\b|[-_/]e5[-_]/i.test(model) ? `${kind}: ${text}` : text
