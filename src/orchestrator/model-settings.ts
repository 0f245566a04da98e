import { integer, text } from './setting-kinds.ts'

/** What models run on and ask: parameters, Spark, lineage, language models. Part of `SETTINGS`. */
export const MODEL_SETTINGS = {
  parameters: text({
    variable: 'MEKONG_PARAMETERS',
    doc: 'Parameters of models that are not as the pipeline says, layer.model.name=value, separated by commas. Another value makes a model anew.',
    default: undefined,
    example: 'gold.customer_content_stats.days=7',
  }),
  sparkRemote: text({
    variable: 'SPARK_REMOTE',
    doc: "Spark Connect server for models with engine: 'spark'. Both must reach the home folder's files.",
    default: undefined,
    example: 'sc://127.0.0.1:15002',
  }),
  openLineageFile: text({
    variable: 'MEKONG_OPENLINEAGE_FILE',
    doc: 'File that OpenLineage events of model runs are added to, one JSON object a line.',
    default: undefined,
    example: './lineage.ndjson',
  }),
  openLineageUrl: text({
    variable: 'OPENLINEAGE_URL',
    doc: 'Where OpenLineage events of model runs are sent, such as a Marquez server; /api/v1/lineage is added when it has no path.',
    default: undefined,
    example: 'http://127.0.0.1:5000',
  }),
  openLineageApiKey: text({
    variable: 'OPENLINEAGE_API_KEY',
    doc: 'Bearer token for that server. From the environment only.',
    default: undefined,
    secret: true,
  }),
  openLineageNamespace: text({
    variable: 'OPENLINEAGE_NAMESPACE',
    doc: 'Namespace of jobs and tables in OpenLineage events.',
    default: 'mekong',
  }),
  openaiApiKey: text({
    variable: 'OPENAI_API_KEY',
    doc: 'Key of the service that labels texts. Without it, and without an address, the built-in rules label. From the environment only.',
    default: undefined,
    secret: true,
  }),
  openaiBaseUrl: text({
    variable: 'OPENAI_BASE_URL',
    doc: "Address of the service that labels texts: any that speaks OpenAI's chat completions. Default: OpenAI's own, when there is a key.",
    default: undefined,
    example: 'http://127.0.0.1:11434/v1',
  }),
  labelModel: text({
    variable: 'MEKONG_LABEL_MODEL',
    doc: 'Model that labels texts.',
    default: 'gpt-5-nano',
  }),
  labelBudgetCents: integer({
    variable: 'MEKONG_LABEL_BUDGET_CENTS',
    doc: 'Most that one run of labelling may spend; it stops before the request that could go past it.',
    unit: 'US cents',
    default: 100,
    min: 0,
    max: 10_000_000,
  }),
  labelInputCents: integer({
    variable: 'MEKONG_LABEL_INPUT_CENTS',
    doc: 'Price of a million tokens that the labelling model reads.',
    unit: 'US cents',
    default: 5,
    min: 0,
    max: 1_000_000,
  }),
  labelOutputCents: integer({
    variable: 'MEKONG_LABEL_OUTPUT_CENTS',
    doc: 'Price of a million tokens that the labelling model writes.',
    unit: 'US cents',
    default: 40,
    min: 0,
    max: 1_000_000,
  }),
} as const
