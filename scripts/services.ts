import { parseArgs } from 'node:util'
import { services } from './services/all.ts'
import { prepareToolset, serviceStatus, startService, stopService } from './services/lifecycle.ts'
import { isServer, type Toolset } from './services/service.ts'

// Real servers on this machine without Docker, for people and for tests:
//   npm run services -- <name> [start|stop|status|env] [--port N] [--instance NAME]
// They live under `.services/`, listen on 127.0.0.1 and keep running until they are stopped. Some are toolsets, which are
// fetched and not started: `start` makes sure that they are there, and there is nothing to stop.

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string' }, instance: { type: 'string' } },
})
const [name, action = 'start'] = positionals
const service = services.find((candidate) => candidate.name === name)
const known = services.map((candidate) => candidate.name).join(', ')
const target = { ...(values.instance === undefined ? {} : { instance: values.instance }) }

function printEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [variable, value] of Object.entries(environment))
    console.log(`export ${variable}='${value}'`)
}

const say = (line: string) => console.error(line)

async function fetchToolset(toolset: Toolset): Promise<number> {
  if (action !== 'start' && action !== 'env') {
    console.error(`"${action}" is not one of start, env: ${toolset.name} is a toolset.`)
    return 2
  }
  const reason = await toolset.unavailable()
  if (reason !== null) throw new Error(reason)
  printEnvironment((await prepareToolset(toolset, say)).environment)
  return 0
}

async function main(): Promise<number> {
  if (service === undefined) {
    console.error(
      `Which service? ${known}. Usage: npm run services -- <name> [start|stop|status|env]`,
    )
    return 2
  }
  if (!isServer(service)) return fetchToolset(service)
  switch (action) {
    case 'start': {
      const reason = await service.unavailable()
      if (reason !== null) throw new Error(reason)
      const port = values.port === undefined ? {} : { port: Number(values.port) }
      printEnvironment((await startService(service, { ...target, ...port, say })).environment)
      return 0
    }
    case 'stop':
      await stopService(service, target.instance)
      console.error(`${service.name}: stopped`)
      return 0
    case 'status':
    case 'env': {
      const { running, port, environment } = await serviceStatus(service, target.instance)
      if (action === 'env') printEnvironment(environment)
      else
        console.log(
          running ? `${service.name}: ready on 127.0.0.1:${port}` : `${service.name}: not running`,
        )
      return running ? 0 : 1
    }
    default:
      console.error(`"${action}" is not one of start, stop, status, env.`)
      return 2
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
