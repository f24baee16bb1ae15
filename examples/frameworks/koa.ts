import Koa from 'koa'
import { mount, orders, requestContext, waitingPage } from 'errand/koa'
import { personOf } from './people.js'
import { report } from './services/reports.js'

export function createKoaApp(): Koa {
  const app = new Koa()
  app.use(requestContext()) // its user is ctx.state.user
  app.use(async (ctx, next) => {
    ctx.state['user'] = personOf(ctx.get('authorization'))
    await next()
  })
  app.use(mount('/async', orders()))
  app.use(mount('/report', waitingPage({ run: report })))
  return app
}
