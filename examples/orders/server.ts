import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { answerWith, mount, requestContext } from 'errand/http'
import { ordersHandler } from 'errand/orders'

export { reports } from './services/reports.js' // what is loaded can be ordered

const PEOPLE = new Map([['Bearer token-of-ada', { id: 'ada' }]])

export function createShop(): Server {
  const orders = mount('/async', answerWith(ordersHandler()))
  const within = requestContext({ user: (request: IncomingMessage) => PEOPLE.get(request.headers.authorization ?? '') })
  return createServer(within((request, response: ServerResponse) => void orders(request, response, () => response.writeHead(404).end())))
}
