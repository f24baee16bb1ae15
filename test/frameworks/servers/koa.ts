import Koa from 'koa'
import * as adapter from 'errand/koa'
import { mount, requestContext } from 'errand/koa'
import { madeBy, served, SESSION_COOKIE, userOf, type HttpApp } from '../../contract/http-app.js'
import type { ServedApp } from '../../contract/framework-contract.js'
import { jsonOf } from './json.js'

export async function serveKoa({ mounts, parses, own, onError }: HttpApp): Promise<ServedApp> {
  const app = new Koa()
  app.silent = true // it prints that a client hung up in the middle of its request
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      onError(error)
      ctx.status = 500
      ctx.body = 'failed'
    }
  })
  app.use(requestContext())
  app.use(async (ctx, next) => {
    ctx.state['user'] = userOf(ctx.headers)
    ctx.append('Set-Cookie', SESSION_COOKIE)
    ctx.vary('Origin')
    if (parses) Object.assign(ctx.request, { body: await jsonOf(ctx.req) })
    await next()
  })
  for (const [path, mounted] of Object.entries(mounts)) app.use(mount(path, madeBy(adapter, mounted)))
  app.use(async (ctx, next) => {
    const text = own[ctx.path]
    if (text === undefined) return next()
    ctx.body = text
    return undefined
  })
  return served(app.listen(0, '127.0.0.1'))
}
