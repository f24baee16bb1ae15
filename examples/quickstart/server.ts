import express from 'express'
import { requestContext } from 'errand/express'
import { reports } from './services/reports.js'

const USERS = new Map([['Bearer token-of-ada', { id: 7, name: 'Ada' }]])

/** A small server in the usual way: a signed-in user, and two routes that call tasks. */
export function createApp(journal: string): express.Express {
  const app = express()
  app.use((req, _res, next) => {
    Object.assign(req, { user: USERS.get(req.headers.authorization ?? '') }) // as passport and others do
    next()
  })
  app.use(requestContext())

  app.post('/reports/:year', async (req, res) => {
    await reports.prepare(Number(req.params.year), journal) // the message is safe; the body runs elsewhere
    res.status(202).send(`accepted by process ${process.pid}`)
  })
  app.get('/me', async (_req, res) => {
    res.send(await reports.whoAmI()) // waits for the worker's answer
  })
  return app
}

declare module 'errand' {
  interface RequestContext {
    user: { id: number; name: string } | undefined
  }
}
