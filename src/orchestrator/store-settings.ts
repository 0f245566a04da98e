import { choice, text } from './setting-kinds.ts'

/** Settings of the stores that follow tables by their changes, and of what makes embeddings and answers. Part of `SETTINGS`. */
export const STORE_SETTINGS = {
  olap: choice({
    variable: 'MEKONG_OLAP',
    doc: 'Where OLAP tables live: chDB in the home folder (an optional package), or a ClickHouse server. A server when CLICKHOUSE_URL is set.',
    default: 'embedded',
    choices: ['embedded', 'clickhouse'],
  }),
  clickhouseUrl: text({
    variable: 'CLICKHOUSE_URL',
    doc: 'HTTP interface of the ClickHouse server.',
    default: undefined,
    example: 'http://127.0.0.1:8123',
  }),
  clickhouseUser: text({
    variable: 'CLICKHOUSE_USER',
    doc: 'User on the ClickHouse server.',
    default: 'default',
  }),
  clickhousePassword: text({
    variable: 'CLICKHOUSE_PASSWORD',
    doc: 'Password on the ClickHouse server. From the environment only.',
    default: undefined,
    secret: true,
  }),
  graph: choice({
    variable: 'MEKONG_GRAPH',
    doc: 'Where graphs live: LadybugDB in the home folder, or a Neo4j server. A server when NEO4J_URI is set.',
    default: 'embedded',
    choices: ['embedded', 'neo4j'],
  }),
  neo4jUri: text({
    variable: 'NEO4J_URI',
    doc: 'Bolt address of the Neo4j server.',
    default: undefined,
    example: 'bolt://127.0.0.1:7687',
  }),
  neo4jUser: text({
    variable: 'NEO4J_USERNAME',
    doc: 'User on the Neo4j server.',
    default: 'neo4j',
  }),
  neo4jPassword: text({
    variable: 'NEO4J_PASSWORD',
    doc: 'Password on the Neo4j server. From the environment only.',
    default: undefined,
    secret: true,
  }),
  vectors: choice({
    variable: 'MEKONG_VECTORS',
    doc: 'Where vectors live: LanceDB in the home folder, or a Pinecone index. Pinecone when PINECONE_HOST is set.',
    default: 'embedded',
    choices: ['embedded', 'pinecone'],
  }),
  pineconeHost: text({
    variable: 'PINECONE_HOST',
    doc: "The index's own host, as Pinecone shows it.",
    default: undefined,
    example: 'https://catalog-abc123.svc.us-east1-gcp.pinecone.io',
  }),
  pineconeApiKey: text({
    variable: 'PINECONE_API_KEY',
    doc: 'API key of Pinecone. From the environment only.',
    default: undefined,
    secret: true,
  }),
  embeddings: choice({
    variable: 'MEKONG_EMBEDDINGS',
    doc: 'What turns texts into vectors: built-in hashed n-grams, an OpenAI-compatible endpoint, or transformers.js (an optional package) with a model from a local folder.',
    default: 'ngrams',
    choices: ['ngrams', 'openai', 'transformers'],
  }),
  embeddingsModel: text({
    variable: 'MEKONG_EMBEDDINGS_MODEL',
    doc: 'Model of the embeddings endpoint; for transformers.js the folder that holds the model.',
    default: undefined,
    example: 'text-embedding-3-small',
  }),
  embeddingsUrl: text({
    variable: 'MEKONG_EMBEDDINGS_URL',
    doc: 'Base address of the embeddings endpoint; /embeddings is added.',
    default: 'https://api.openai.com/v1',
  }),
  embeddingsApiKey: text({
    variable: 'MEKONG_EMBEDDINGS_API_KEY',
    doc: 'API key of the embeddings endpoint. From the environment only.',
    default: undefined,
    secret: true,
  }),
  answersUrl: text({
    variable: 'MEKONG_ANSWERS_URL',
    doc: 'Base address of an OpenAI-compatible chat endpoint that words the answers of /v1/catalog/ask. Without it the ranked passages are the answer.',
    default: undefined,
    example: 'https://api.openai.com/v1',
  }),
  answersModel: text({
    variable: 'MEKONG_ANSWERS_MODEL',
    doc: 'Model of the chat endpoint.',
    default: undefined,
    example: 'gpt-4o-mini',
  }),
  answersApiKey: text({
    variable: 'MEKONG_ANSWERS_API_KEY',
    doc: 'API key of the chat endpoint. From the environment only.',
    default: undefined,
    secret: true,
  }),
} as const
