import fastify, { type FastifyInstance } from 'fastify'
import { orders, requestContext, waitingPage } from 'errand/fastify'
import { askForYear, personOf } from '../shop.js'
import { reports } from './services/reports.js'

export async function createApp(): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(requestContext()) // its user is request.user
  app.decorateRequest('user', null)
  app.addHook('onRequest', async (request) => {
    request.user = personOf(request.headers.authorization) ?? null
  })
  await app.register(orders(), { prefix: '/async' })
  await app.register(waitingPage({ run: 'show', service: reports, initialPage: askForYear }), { prefix: '/report' })
  return app
}
