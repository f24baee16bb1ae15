import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mount, orders, requestContext, waitingPage } from 'errand/http'
import { personOf } from './people.js'
import { report } from './services/reports.js'

export function createHttpServer(): Server {
  const withRequest = requestContext({ user: (request) => personOf(request.headers['authorization']?.toString()) })
  const ordering = mount('/async', orders())
  const page = mount('/report', waitingPage({ run: report }))
  async function listener(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if ((await ordering(request, response)) || (await page(request, response))) return
    response.writeHead(404).end()
  }
  return createServer(withRequest((request: IncomingMessage, response: ServerResponse) => void listener(request, response)))
}
