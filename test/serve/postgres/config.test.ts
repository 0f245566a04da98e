import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { connect } from '../../../src/serve/postgres/client.ts'
import {
  postgresConfig,
  postgresConfigFromVariables,
  postgresName,
  secret,
} from '../../../src/serve/postgres/config.ts'

const WHOLE = {
  POSTGRES_HOST: 'db.example',
  POSTGRES_DB: 'shop',
  POSTGRES_USER: 'river',
  POSTGRES_PASSWORD: 'p4ss-w0rd',
}

describe('configuration from variables', () => {
  test('four names are enough', () => {
    const resolved = postgresConfigFromVariables(WHOLE)
    if (resolved.status !== 'resolved') throw new Error('not resolved')
    expect(resolved.config).toMatchObject({ host: 'db.example', port: 5432, sslMode: 'disable' })
    expect(resolved.config.password?.reveal()).toBe('p4ss-w0rd')
    expect(postgresName(resolved.config)).toBe('postgres://river@db.example:5432/shop')
  })

  test('names everything that is missing or wrong at once', () => {
    const variables = { ...WHOLE, POSTGRES_USER: '', POSTGRES_DB: undefined }
    const wrong = { POSTGRES_PORT: '70000', POSTGRES_SSLMODE: 'perhaps' }
    const resolved = postgresConfigFromVariables({ ...variables, ...wrong })
    if (resolved.status !== 'incomplete') throw new Error('resolved')
    expect(resolved.missing).toEqual(['POSTGRES_USER', 'POSTGRES_DB'])
    expect(resolved.invalid.map((each) => each.name)).toEqual(['POSTGRES_PORT', 'POSTGRES_SSLMODE'])
  })

  test('takes a port and a TLS mode', () => {
    const variables = { ...WHOLE, POSTGRES_PORT: '6432', POSTGRES_SSLMODE: 'verify-full' }
    expect(postgresConfigFromVariables(variables)).toMatchObject({
      config: { port: 6432, sslMode: 'verify-full' },
    })
  })
})

test('a password is in nothing that prints', async () => {
  const config = postgresConfig({
    ...{ host: '127.0.0.1', port: 1, database: 'd', user: 'u' },
    password: secret('p4ss-w0rd'),
  })
  const failure = await connect(config).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'SINK_UNAVAILABLE', retry: 'later' })
  const printed = [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })]
  printed.push(`${config.password}`, inspect(failure, { depth: 9 }), String(failure))
  for (const text of printed) expect(text).not.toContain('p4ss-w0rd')
})
