import { defineConfig } from 'mekong'

export default defineConfig({ pipelines: ['../../pipelines/user-events/pipeline.ts'] })
