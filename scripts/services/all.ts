import { kafka } from './kafka.ts'
import { postgres } from './postgres.ts'
import type { Service } from './service.ts'

/** Every server that can be started; adding one is adding a file and a line. */
export const services: readonly Service[] = [kafka, postgres]
