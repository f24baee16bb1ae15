import { Hono } from 'hono'
import { orders, requestContext, waitingPage } from 'errand/hono'
import { personOf, type Person } from './people.js'
import { report } from './services/reports.js'

export function createHonoApp() {
  const app = new Hono<{ Variables: { user: Person | undefined } }>()
  app.use(requestContext()) // its user is c.get('user')
  app.use(async (c, next) => {
    c.set('user', personOf(c.req.header('authorization')))
    await next()
  })
  app.use('/async/*', orders())
  app.use('/report/*', waitingPage({ run: report }))
  return app
}
