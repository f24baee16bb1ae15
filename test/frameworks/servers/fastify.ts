import fastify, { type FastifyRequest } from 'fastify'
import * as adapter from 'errand/fastify'
import { requestContext } from 'errand/fastify'
import { madeBy, SESSION_COOKIE, userOf, type HttpApp } from '../../contract/http-app.js'
import type { ServedApp } from '../../contract/framework-contract.js'

export async function serveFastify({ mounts, parses, own, onError }: HttpApp): Promise<ServedApp> {
  const app = fastify({ forceCloseConnections: true })
  if (!parses) app.removeAllContentTypeParsers()
  await app.register(requestContext())
  app.decorateRequest('user', null)
  app.addHook('onRequest', async (request: FastifyRequest & { user?: unknown }, reply) => {
    request.user = userOf(request.headers)
    reply.header('set-cookie', SESSION_COOKIE).header('vary', 'Origin')
  })
  app.setErrorHandler((error, _request, reply) => {
    onError(error)
    return reply.status(500).send('failed')
  })
  for (const [prefix, mounted] of Object.entries(mounts)) await app.register(madeBy(adapter, mounted), { prefix })
  for (const [path, text] of Object.entries(own)) app.get(path, async () => text)
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  return { port: Number(url.port), close: () => app.close() }
}
