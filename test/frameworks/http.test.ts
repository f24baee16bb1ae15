import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { requestContext } from 'errand/http'
import { frameworkContract, type AppUnderTest } from '../contract/framework-contract.js'

type Incoming = IncomingMessage & { user?: unknown; body?: unknown }

async function listener(app: AppUnderTest, request: Incoming, response: ServerResponse): Promise<void> {
  app.early()
  try {
    if (request.headers['content-type'] === 'application/json') request.body = JSON.parse(await textOf(request))
    request.user = await app.authenticate(request.headers)
    response.end(JSON.stringify(await app.handle((request.url ?? '').split('?', 1)[0] ?? '', request, response)))
  } catch (error) {
    response.writeHead(500).end(JSON.stringify(app.failure(error)))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

frameworkContract('plain http', async (app) => {
  const withRequest = requestContext(app.options)
  const server = createServer(withRequest((request: Incoming, response: ServerResponse) => void listener(app, request, response)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
})
