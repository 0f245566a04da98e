import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { readFields } from '../../../src/sql/spark/protobuf.ts'
import { openSpark } from '../../../src/sql/spark/spark-client.ts'

// The client against servers that answer as gRPC has it; a real Spark answers in `test/interop/models-on-spark.test.ts`.

const field = (bytes: Uint8Array, number: number) =>
  [...readFields(bytes)].find((one) => one.number === number)!.bytes

async function serverThat(answer: { readonly status: string; readonly message?: string }) {
  const statements: string[] = []
  const tokens: (string | undefined)[] = []
  const server = createServer()
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = []
    stream.on('data', (chunk: Buffer) => parts.push(chunk))
    stream.on('end', () => {
      const request = Buffer.concat(parts).subarray(5)
      const command = field(field(request, 3), 2)
      statements.push(Buffer.from(field(field(field(field(command, 5), 6), 10), 1)).toString())
      tokens.push(headers.authorization)
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      )
      stream.on('wantTrailers', () =>
        stream.sendTrailers({
          'grpc-status': answer.status,
          'grpc-message': encodeURIComponent(answer.message ?? ''),
        }),
      )
      stream.end(Buffer.from([0, 0, 0, 0, 0]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { statements, tokens, port, close: () => new Promise((resolve) => server.close(resolve)) }
}

test('a statement arrives as it was written, with the token that the address names', async () => {
  const server = await serverThat({ status: '0' })
  const spark = await openSpark({ url: `sc://127.0.0.1:${server.port}/;token=abc` })
  const long = `SELECT '${'nước '.repeat(100_000)}'`
  await spark.run('SELECT 1')
  await spark.run(long)
  spark.close()
  await server.close()
  expect(server.statements).toEqual(['SELECT 1', long])
  expect(server.tokens[0]).toBe('Bearer abc')
})

test.each([
  ['3', 'SPARK_SQL_FAILED'],
  ['13', 'SPARK_SQL_FAILED'],
  ['14', 'SPARK_UNAVAILABLE'],
])('status %s is %s', async (status, code) => {
  const server = await serverThat({ status, message: 'không được' })
  const spark = await openSpark({ url: `sc://127.0.0.1:${server.port}` })
  await expect(spark.run('SELECT 1')).rejects.toMatchObject({
    code,
    message: expect.stringContaining('không được') as string,
  })
  spark.close()
  await server.close()
})

test('nobody there, or no address', async () => {
  const server = await serverThat({ status: '0' })
  await server.close()
  await expect(openSpark({ url: `sc://127.0.0.1:${server.port}` })).rejects.toMatchObject({
    code: 'SPARK_UNAVAILABLE',
  })
  await expect(openSpark({ url: 'http://x' })).rejects.toMatchObject({ code: 'SPARK_UNAVAILABLE' })
})
