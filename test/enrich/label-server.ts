import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server does with a request: answer rightly, or go wrong in one of the ways that servers do. */
export type Behaviour =
  | 'right'
  | 'too_many_requests'
  | 'broken'
  | 'hangs_up'
  | 'no_json'
  | 'wrong_shape'
  | 'fenced'
  | 'missing_and_extra'
  | 'slow'
  | 'stalls'
  | 'hangs_up_midway'
  | 'thinks'
  | 'refuses_schemas'
  | 'no_credit'
  | 'forbidden'

export interface LabelServer {
  readonly url: string
  /** Requests that arrived. */
  calls: number
  /** How often each text was answered rightly and the answer was sent to the end. */
  readonly paid: Map<string, number>
  readonly sizes: number[]
  atOnceMax: number
  /** What was asked for as the form of the answer, request by request. */
  readonly formats: readonly ResponseFormat[]
  close(): Promise<void>
}

export interface ResponseFormat {
  readonly type: string
  readonly json_schema?: { readonly strict: boolean; readonly schema: unknown }
}

interface Asked {
  readonly texts: readonly { readonly id: number; readonly text: string }[]
}

/** An OpenAI-compatible endpoint that labels every text by its first letter, and behaves as told, call by call. */
export async function startLabelServer(
  behave: (call: number, texts: readonly string[]) => Behaviour,
): Promise<LabelServer> {
  let atOnce = 0
  const formats: ResponseFormat[] = []
  const server = createServer(async (request, response) => {
    facts.calls += 1
    const call = facts.calls
    atOnce += 1
    facts.atOnceMax = Math.max(facts.atOnceMax, atOnce)
    try {
      const body = JSON.parse(await textOf(request)) as {
        messages: { content: string }[]
        response_format: ResponseFormat
      }
      formats.push(body.response_format)
      const asked = JSON.parse(body.messages.at(-1)!.content) as Asked
      facts.sizes.push(asked.texts.length)
      await answer(
        response,
        behave(
          call,
          asked.texts.map(({ text }) => text),
        ),
        { ...asked, isSchema: body.response_format.type === 'json_schema' },
        facts.paid,
      )
    } finally {
      atOnce -= 1
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const facts: LabelServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    ...{ calls: 0, paid: new Map<string, number>(), sizes: [] as number[], atOnceMax: 0, formats },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return facts
}

/** The label that the server gives. */
export const labelOf = (text: string) => (text.charCodeAt(0) % 2 === 0 ? 'Drama' : 'Music')

async function answer(
  response: ServerResponse,
  behaviour: Behaviour,
  { texts, isSchema }: Asked & { readonly isSchema: boolean },
  paid: Map<string, number>,
): Promise<void> {
  const right = texts.map(({ id, text }) => ({ id, label: labelOf(text) }))
  const say = (content: string, given: readonly { readonly text: string }[]) => {
    response.setHeader('content-type', 'application/json')
    response.end(completion(content, texts.length))
    for (const { text } of given) paid.set(text, (paid.get(text) ?? 0) + 1)
  }
  switch (behaviour) {
    case 'right':
      return say(JSON.stringify({ labels: right }), texts)
    case 'fenced':
      return say(`\`\`\`json\n${JSON.stringify({ labels: right })}\n\`\`\``, texts)
    case 'too_many_requests':
      response.writeHead(429, { 'retry-after': '0.05', 'content-type': 'application/json' })
      return void response.end('{"error":{"message":"slow down"}}')
    case 'broken':
      response.writeHead(500)
      return void response.end('oops')
    case 'forbidden':
      response.writeHead(401, { 'content-type': 'application/json' })
      return void response.end('{"error":{"message":"no such key"}}')
    case 'no_credit':
      response.writeHead(429, { 'content-type': 'application/json' })
      return void response.end('{"error":{"message":"no credit","code":"insufficient_quota"}}')
    case 'refuses_schemas':
      if (!isSchema) return say(JSON.stringify({ labels: right }), texts)
      response.writeHead(400, { 'content-type': 'application/json' })
      return void response.end('{"error":{"message":"response_format is unavailable"}}')
    case 'thinks':
      response.setHeader('content-type', 'application/json')
      response.end(completion(JSON.stringify({ labels: right }), texts.length, 20))
      for (const { text } of texts) paid.set(text, (paid.get(text) ?? 0) + 1)
      return
    case 'stalls':
    case 'hangs_up_midway': {
      const whole = completion(JSON.stringify({ labels: right }), texts.length)
      response.setHeader('content-type', 'application/json')
      response.write(whole.slice(0, whole.length / 2))
      if (behaviour === 'stalls') return
      await new Promise((resolve) => setTimeout(resolve, 10))
      return void response.socket?.destroy()
    }
    case 'hangs_up':
      return void response.socket?.destroy()
    case 'no_json':
      return say('Sure! Here are your labels: Drama, Drama', [])
    case 'wrong_shape':
      return say(JSON.stringify({ answers: right }), [])
    case 'missing_and_extra': {
      const some = right
        .filter(({ id }) => id % 3 !== 0)
        .map((row) => ({ ...row, confidence: 0.9 }))
      const extra = [
        { id: 9_999, label: 'Drama' },
        { id: 0, label: 'Nonsense' },
      ]
      return say(
        JSON.stringify({ note: 'as asked', labels: [...some, ...extra] }),
        texts.filter(({ id }) => id % 3 !== 0),
      )
    }
    case 'slow': {
      const whole = completion(JSON.stringify({ labels: right }), texts.length)
      response.setHeader('content-type', 'application/json')
      for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 5)) {
        response.write(whole.slice(at, at + Math.ceil(whole.length / 5)))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      response.end()
      for (const { text } of texts) paid.set(text, (paid.get(text) ?? 0) + 1)
    }
  }
}

const completion = (content: string, textCount: number, thought = 1) =>
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    usage: {
      prompt_tokens: 100 + textCount * 5,
      completion_tokens: textCount * 10 * thought,
      total_tokens: 1,
    },
  })

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
