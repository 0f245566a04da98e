import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openLineage } from '../../src/flow/open-lineage.ts'
import { modelTasks } from '../../src/flow/run-model.ts'
import { notNull } from '../../src/pipeline/data-test.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { openModelHome, taskContext } from './model-home.ts'

interface RunEvent {
  readonly eventType: string
  readonly run: { readonly runId: string; readonly facets: Record<string, Record<string, unknown>> }
  readonly job: { readonly namespace: string; readonly name: string }
  readonly inputs: readonly {
    readonly name: string
    readonly facets: Record<string, unknown>
    readonly inputFacets?: Record<string, Record<string, unknown>>
  }[]
  readonly outputs: readonly {
    readonly name: string
    readonly facets: Record<string, Record<string, unknown>>
    readonly outputFacets: Record<string, Record<string, unknown>>
  }[]
}

const lineageOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)

test('a test that warns is a failed assertion of a run that completes; one that stops is a run that fails', async () => {
  await using home = await openModelHome()
  await home.add('bronze.b', 'SELECT range AS id, nullif(range, 1) AS v FROM range(4)')
  const file = path.join(home.folder, 'lineage.ndjson')
  const lineage = openLineage(
    {
      ...{ openLineageFile: file, openLineageUrl: undefined },
      ...{ openLineageApiKey: undefined, openLineageNamespace: 'here' },
    },
    () => {},
  )
  const told = async (severity: 'warn' | 'error') => {
    const plan = pipeline('told', (p) =>
      p.model(`silver.${severity}`, 'SELECT id, v FROM bronze.b', {
        tests: [notNull('v', { severity }), notNull('id')],
      }),
    )
    const [task] = await modelTasks({ engine: home.engine, lake: home.lake, lineage }, plan)
    return task!.run(taskContext())
  }
  expect((await told('warn')).facts).toMatchObject({ tests: 2, tests_warned: 1 })
  await expect(told('error')).rejects.toMatchObject({ code: 'TESTS_FAILED' })
  const events = lineageOf(readFileSync(file, 'utf8'))
  // Its rows are there either way.
  expect(events.map(({ eventType, job }) => [eventType, job.name])).toEqual([
    ['START', 'told.silver.warn'],
    ['COMPLETE', 'told.silver.warn'],
    ['START', 'told.silver.warn.tests'],
    ['COMPLETE', 'told.silver.warn.tests'],
    ['START', 'told.silver.error'],
    ['COMPLETE', 'told.silver.error'],
    ['START', 'told.silver.error.tests'],
    ['FAIL', 'told.silver.error.tests'],
  ])
  for (const [index, severity] of [
    [3, 'warn'],
    [7, 'error'],
  ] as const)
    expect(events[index]!.inputs[0]!.inputFacets!.dataQualityAssertions!.assertions).toEqual([
      { assertion: 'not_null_v', success: false, column: 'v', severity, failures: 1 },
      { assertion: 'not_null_id', success: true, column: 'id', severity: 'error', failures: 0 },
    ])
})

test('runs of models are told to a file and to a server, with columns and numbers; failures too', async () => {
  await using home = await openModelHome()
  await home.add('bronze.b', 'SELECT range AS id, range * 2 AS v FROM range(4)')
  const received: { path: string; key: string | undefined; event: RunEvent }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const key = request.headers.authorization
      received.push({ path: request.url!, key, event: JSON.parse(body) as RunEvent })
      response.writeHead(201).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const notices: string[] = []
  const file = path.join(home.folder, 'events', 'lineage.ndjson')
  const { port } = server.address() as AddressInfo
  const lineage = openLineage(
    {
      ...{ openLineageFile: file, openLineageUrl: `http://127.0.0.1:${port}` },
      ...{ openLineageApiKey: 'secret', openLineageNamespace: 'here' },
    },
    (line) => void notices.push(line),
  )
  const plan = pipeline('told', (p) => {
    p.model('silver.s', 'SELECT id, v + 1 AS w FROM bronze.b', { tests: [notNull('w')] })
    p.model('gold.g', 'SELECT no_such_column FROM silver.s')
  })
  const [silver, gold] = await modelTasks({ engine: home.engine, lake: home.lake, lineage }, plan)
  await silver!.run(taskContext())
  await expect(gold!.run(taskContext())).rejects.toMatchObject({ code: 'SQL_INVALID' })
  await new Promise((resolve) => server.close(resolve))

  const events = lineageOf(readFileSync(file, 'utf8'))
  expect(received.map(({ event }) => event)).toEqual(events)
  expect(new Set(received.map(({ path: at, key }) => `${at} ${key}`))).toEqual(
    new Set(['/api/v1/lineage Bearer secret']),
  )
  expect(events.map(({ eventType, job }) => [eventType, job.namespace, job.name])).toEqual([
    ['START', 'here', 'told.silver.s'],
    ['COMPLETE', 'here', 'told.silver.s'],
    ['START', 'here', 'told.silver.s.tests'],
    ['COMPLETE', 'here', 'told.silver.s.tests'],
    ['START', 'here', 'told.gold.g'],
    ['FAIL', 'here', 'told.gold.g'],
  ])
  expect(events[0]!.run.runId).toBe(events[1]!.run.runId)
  expect(events[0]!.run.runId).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  const [output] = events[1]!.outputs
  expect(events[1]!.inputs.map(({ name }) => name)).toEqual(['bronze.b'])
  expect(output!.name).toBe('silver.s')
  expect(output!.outputFacets.outputStatistics).toMatchObject({ rowCount: 4, fileCount: 1 })
  expect(output!.facets.columnLineage!.fields).toEqual({
    id: {
      inputFields: [
        {
          namespace: 'here',
          name: 'bronze.b',
          field: 'id',
          transformations: [{ type: 'DIRECT', subtype: 'IDENTITY' }],
        },
      ],
    },
    w: {
      inputFields: [
        {
          namespace: 'here',
          name: 'bronze.b',
          field: 'v',
          transformations: [{ type: 'DIRECT', subtype: 'TRANSFORMATION' }],
        },
      ],
    },
  })
  expect(output!.facets.columnLineage!._schemaURL).toBe(
    'https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet',
  )
  // Tests read what they test.
  const [tested] = events[3]!.inputs
  expect([tested!.name, events[3]!.outputs]).toEqual(['silver.s', []])
  expect(tested!.inputFacets!.dataQualityAssertions!.assertions).toEqual([
    { assertion: 'not_null_w', success: true, column: 'w', severity: 'error', failures: 0 },
  ])
  expect(events[5]!.run.facets.errorMessage!.message).toContain('no_such_column')
  expect(notices).toEqual([])

  // Nobody there: the run goes on, and it is told.
  await home.add('bronze.b', 'SELECT 9::BIGINT AS id, 9::BIGINT AS v')
  await silver!.run(taskContext())
  expect(notices).toHaveLength(4)
})
