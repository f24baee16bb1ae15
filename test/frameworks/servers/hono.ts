import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { Server } from 'node:http'
import * as adapter from 'errand/hono'
import { requestContext } from 'errand/hono'
import { madeBy, served, SESSION_COOKIE, userOf, type HttpApp } from '../../contract/http-app.js'
import type { ServedApp } from '../../contract/framework-contract.js'

export async function serveHono({ mounts, parses, own, onError }: HttpApp): Promise<ServedApp> {
  const app = new Hono<{ Variables: { user: unknown } }>()
  app.use(requestContext())
  app.use(async (c, next) => {
    c.set('user', userOf(c.req.header()))
    if (parses && c.req.header('content-type') === 'application/json') await c.req.json()
    await next()
    c.header('set-cookie', SESSION_COOKIE, { append: true })
    c.header('vary', 'Origin', { append: true })
  })
  for (const [path, mounted] of Object.entries(mounts)) app.use(`${path}/*`, madeBy(adapter, mounted))
  for (const [path, text] of Object.entries(own)) app.get(path, (c) => c.text(text))
  app.onError((error, c) => {
    onError(error)
    return c.text('failed', 500)
  })
  // it serves HTTP/1 unless told otherwise
  return served((createAdaptorServer(app) as Server).listen(0, '127.0.0.1'))
}
