import { scheduleView } from '../../api/run-views.ts'
import { nextRuns } from '../../orchestrator/schedules/due-run.ts'
import { schedulesOf } from '../../orchestrator/schedules/schedules-of.ts'
import { type Command, EXIT } from '../command.ts'
import { timeText } from '../numbers.ts'
import { loadProject } from '../project.ts'

const NEXT_COUNT = 3

export const schedules: Command = {
  name: 'schedules',
  summary: 'what runs when',
  usage: 'schedules',
  about: `
Lists the schedules of all pipelines with the next moments of each. "mekong up" begins runs at these moments, unless the setting scheduler is off.`,
  options: {},
  examples: [
    ['mekong schedules', 'all of them'],
    ['mekong runs', 'what came of them'],
  ],

  async run(context) {
    const { terminal, options } = context
    const { plans, settings } = await loadProject(context)
    const found = schedulesOf(plans, settings).map((schedule) =>
      scheduleView(schedule, nextRuns(schedule, Date.now(), NEXT_COUNT)),
    )
    if (options.json === true)
      terminal.printJson({ scheduler: settings.scheduler, schedules: found })
    else if (found.length === 0) terminal.print('No pipeline has schedules.')
    else
      terminal.table(
        ['schedule', 'cron', 'zone', 'runs', 'catch up', 'next (UTC)'],
        found.map(({ id, cron, zone, run, catch_up, next }) => [
          ...[id, cron, zone, run.join(' '), catch_up, next.map(timeText).join(', ')],
        ]),
      )
    if (settings.scheduler === 'off')
      terminal.note('The setting scheduler is off: none of them is begun.')
    return EXIT.ok
  },
}
