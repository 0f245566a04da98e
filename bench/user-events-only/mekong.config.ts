import { defineConfig } from 'mekong'

/** One pipeline with all its hops: what else the project brings would only share the cores. */
export default defineConfig({ pipelines: ['../../pipelines/user-events/pipeline.ts'] })
