import type { Command } from './command.ts'
import { demo } from './commands/demo.ts'
import { load } from './commands/load.ts'
import { sql } from './commands/sql.ts'
import { up } from './commands/up.ts'

/** Every command, in the order in which help shows them. */
export const COMMANDS: readonly Command[] = [demo, up, load, sql]
