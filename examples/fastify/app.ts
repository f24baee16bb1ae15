import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { requestContext } from 'errand/fastify'
import { orders, type Order } from './services/orders.js'

declare module 'fastify' {
  interface FastifyRequest {
    user: { readonly id: number; readonly name: string } | null
  }
}

export async function createApp(): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(requestContext({ user: (request: FastifyRequest) => request.user, body: true }))

  app.decorateRequest('user', null)
  app.addHook('preHandler', async (request) => {
    request.user = request.headers.authorization === 'Bearer token-of-ada' ? { id: 7, name: 'Ada' } : null
  })

  await app.register(async (shop) => {
    shop.post<{ Body: Order }>('/orders', async (request, reply) => {
      await orders.confirm(request.body)
      return reply.status(202).send()
    })
    shop.post('/echo', async () => orders.echo())
  })
  return app
}
