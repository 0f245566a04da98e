import path from 'node:path'
import type { Embedder } from '../enrich/embedding/embedder.ts'
import { cachedEmbedder, type EmbeddingCache } from '../enrich/embedding/embedding-cache.ts'
import { hashedNgrams } from '../enrich/embedding/hashed-ngrams.ts'
import { openAiEmbedder } from '../enrich/embedding/openai-embedder.ts'
import { transformersEmbedder } from '../enrich/embedding/transformers-embedder.ts'
import { secret } from '../serve/postgres/config.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

/** The embedder that the settings name, with its memory in the home folder. @throws EmbeddingUnavailableError, EmbeddingRefusedError */
export async function openEmbedder(home: Home, settings: Settings): Promise<EmbeddingCache> {
  return cachedEmbedder(await embedderOf(settings), path.join(home.serve, 'embeddings.sqlite'))
}

async function embedderOf(settings: Settings): Promise<Embedder> {
  const { embeddings, embeddingsModel, embeddingsUrl, embeddingsApiKey } = settings
  switch (embeddings) {
    case 'ngrams':
      return hashedNgrams
    case 'transformers':
      return transformersEmbedder(embeddingsModel!)
    case 'openai':
      return openAiEmbedder({
        url: embeddingsUrl,
        model: embeddingsModel!,
        apiKey: embeddingsApiKey === undefined ? null : secret(embeddingsApiKey),
      })
  }
}
