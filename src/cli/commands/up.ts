import type { Platform } from '../../orchestrator/platform.ts'
import { type Command, EXIT } from '../command.ts'
import { loadProject } from '../project.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { withPlatform } from '../with-platform.ts'

export const up: Command = {
  name: 'up',
  summary: 'start the platform and keep it running',
  usage: 'up',
  about: `
Opens the log, the lake and the serving stores, starts every pipeline, opens the front door, begins runs at the moments of the
schedules, and goes on with those that were interrupted, until Ctrl+C or SIGTERM; then it finishes what is in hand. With KAFKA_BROKER and POSTGRES_HOST, _DB, _USER, _PASSWORD set it uses these servers instead of the embedded
parts. All settings: docs/configuration.md.`,
  options: {},
  examples: [
    ['mekong up', 'embedded, on 127.0.0.1:7070'],
    ['MEKONG_PORT=8080 mekong up --home /var/lib/mekong', 'elsewhere'],
  ],

  async run(context) {
    const { terminal, options, signal } = context
    const project = await loadProject(context)
    const work = async ({ url, postgresUrl, psqlCommand }: Platform) => {
      if (options.json === true) {
        terminal.printJson({ ok: true, url, postgresUrl, pid: process.pid })
      } else terminal.print(`Listening on ${url} (pid ${process.pid})\nPostgreSQL: ${psqlCommand}`)
      await untilInterrupted(signal, terminal.note)
      return EXIT.ok
    }
    return withPlatform(context, project, work, {}, { schedule: true })
  },
}
