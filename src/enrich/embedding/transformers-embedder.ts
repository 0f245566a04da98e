import path from 'node:path'
import { messageOf } from '../../model/errors.ts'
import { type Embedder, normalised, prefixed } from './embedder.ts'
import { EmbeddingRefusedError } from './errors.ts'

/** As much of transformers.js as we call. */
interface TransformersPackage {
  readonly env: { allowRemoteModels: boolean; localModelPath: string }
  pipeline(task: 'feature-extraction', model: string): Promise<Extractor>
}
type Extractor = (
  texts: readonly string[],
  options: { pooling: 'mean'; normalize: true },
) => Promise<{ readonly data: Float32Array; readonly dims: readonly number[] }>

/** Texts that go through the model together; more take more memory and no less time on a CPU. */
const TEXTS_PER_PASS = 16

/**
 * A model in this process by transformers.js (https://huggingface.co/docs/transformers.js), from a local folder; nothing is downloaded. The package is
 * not among ours: it weighs several hundred megabytes. e5 models get the prefixes they were trained with.
 * @throws EmbeddingRefusedError when the package or the model is not there
 */
export async function transformersEmbedder(folder: string): Promise<Embedder> {
  const model = path.basename(folder)
  let extract: Extractor
  try {
    // A name that no compiler looks up.
    const name: string = '@huggingface/transformers'
    const transformers = (await import(name)) as TransformersPackage
    transformers.env.allowRemoteModels = false
    transformers.env.localModelPath = path.dirname(path.resolve(folder))
    extract = await transformers.pipeline('feature-extraction', model)
  } catch (cause) {
    throw new EmbeddingRefusedError(
      `The embedding model in ${folder} cannot be used: ${messageOf(cause)} Install the package with npm install @huggingface/transformers, and name a folder with its files (config.json, tokenizer.json, onnx/).`,
      { cause },
    )
  }
  const pass = async (texts: readonly string[]) => {
    const { data, dims } = await extract(texts, { pooling: 'mean', normalize: true })
    const length = dims.at(-1)!
    return texts.map((_, index) => normalised(data.slice(index * length, (index + 1) * length)))
  }
  const dimensions = (await pass(['length']))[0]!.length
  return {
    id: `transformers/${model}/${dimensions}`,
    dimensions,
    async embed(texts, kind, signal) {
      const vectors: Float32Array[] = []
      for (let at = 0; at < texts.length; at += TEXTS_PER_PASS) {
        signal?.throwIfAborted()
        const some = texts.slice(at, at + TEXTS_PER_PASS)
        vectors.push(...(await pass(some.map((text) => prefixed(model, text, kind)))))
      }
      return vectors
    },
  }
}
