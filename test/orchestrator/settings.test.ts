import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/orchestrator/errors.ts'
import { resolveSettings } from '../../src/orchestrator/resolve-settings.ts'

function problemsOf(...args: Parameters<typeof resolveSettings>): string[] {
  try {
    resolveSettings(...args)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ where, what }) => `${where} ${what}`)
  }
}

const SERVER = {
  POSTGRES_HOST: 'db',
  POSTGRES_USER: 'u',
  POSTGRES_PASSWORD: 'hunter2',
  POSTGRES_DB: 'd',
}

describe('settings', () => {
  test('defaults are the embedded platform on loopback', () => {
    const settings = resolveSettings({}, {})
    expect(settings).toMatchObject({
      host: '127.0.0.1',
      log: 'embedded',
      postgres: 'embedded',
      startAt: 'earliest',
    })
    expect(settings.postgresPort).toBe(5433)
  })

  test('a variable wins over the file', () => {
    expect(resolveSettings({ port: 1 }, { MEKONG_PORT: '2' }).port).toBe(2)
    expect(resolveSettings({ port: 1 }, { MEKONG_PORT: '' }).port).toBe(1)
  })

  test("the original's variables choose the real engines", () => {
    const settings = resolveSettings({}, { ...SERVER, KAFKA_BROKER: 'k:9092' })
    expect(settings).toMatchObject({ log: 'kafka', postgres: 'server', postgresPort: 5432 })
    expect(resolveSettings({}, { ...SERVER, MEKONG_POSTGRES: 'embedded' }).postgres).toBe(
      'embedded',
    )
  })

  test('every missing part of a server is named at once', () => {
    expect(problemsOf({}, { MEKONG_LOG: 'kafka', MEKONG_POSTGRES: 'server' })).toEqual([
      'KAFKA_BROKER is not set, and Kafka needs it',
      'POSTGRES_HOST is not set, and a PostgreSQL server needs it',
      'POSTGRES_DB is not set, and a PostgreSQL server needs it',
      'POSTGRES_USER is not set, and a PostgreSQL server needs it',
      'POSTGRES_PASSWORD is not set, and a PostgreSQL server needs it',
    ])
  })

  test('typos are found and a name is offered', () => {
    expect(problemsOf({ prot: 1, nonsense: 2, port: 'x', log: 'kafak' }, {})).toEqual([
      'config file: prot is no setting; did you mean port?',
      expect.stringMatching(/^config file: nonsense is no setting; there are host, port/),
      'config file: port must be a whole number from 0 to 65535, not "x"',
      'config file: log must be embedded or kafka, not "kafak"',
    ])
  })

  test('a secret is refused in the file, and its value is never said', () => {
    const problems = problemsOf({ postgresPassword: 'hunter2' }, {})
    expect(problems).toEqual([
      'config file: postgresPassword is a secret; set POSTGRES_PASSWORD instead',
    ])
    expect(problems.join()).not.toContain('hunter2')
  })
})
