import type { IncomingMessage } from 'node:http'

/** What a parser of bodies leaves: the value of a JSON body, nothing for any other, which it does not touch. */
export async function jsonOf(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-type'] !== 'application/json') return undefined
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString())
}
