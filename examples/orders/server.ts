import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mount, orders, requestContext } from 'errand/http'

export { reports } from './services/reports.js' // what is loaded can be ordered

const PEOPLE = new Map([['Bearer token-of-ada', { id: 'ada' }]])

export function createShop(): Server {
  const answer = mount('/async', orders())
  const within = requestContext({ user: (request: IncomingMessage) => PEOPLE.get(request.headers.authorization ?? '') })
  return createServer(within((request, response: ServerResponse) => void answer(request, response, () => response.writeHead(404).end())))
}
