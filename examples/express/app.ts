import express from 'express'
import { withContext } from 'errand'
import { requestContext } from 'errand/express'
import { mail } from './services/mail.js'

interface Person {
  readonly id: number
  readonly name: string
}

const PEOPLE = new Map<string | undefined, Person>([['Bearer token-of-ada', { id: 7, name: 'Ada' }]])
const SUPPORT: Person = { id: 1, name: 'Support' }

export function createApp(): express.Express {
  const app = express()
  app.use(requestContext({ extra: (req: express.Request) => ({ tenant: req.get('x-tenant') }) }))
  app.use(express.json())
  app.use(signIn)

  app.post('/invitations', async (req: express.Request<unknown, unknown, { email: string }>, res) => {
    await mail.invite(req.body.email) // resolves once the message would survive a crash; the body has not run
    res.sendStatus(202)
  })

  app.post('/invitations/by-support', async (req: express.Request<unknown, unknown, { email: string }>, res) => {
    await withContext({ user: SUPPORT }, () => mail.invite(req.body.email))
    res.sendStatus(202)
  })

  app.get('/origin', async (_req, res) => {
    res.send(await mail.origin())
  })
  return app
}

/** Any authentication: that it runs after requestContext() makes no difference. */
function signIn(req: express.Request & { user?: unknown }, _res: express.Response, next: express.NextFunction): void {
  req.user = PEOPLE.get(req.get('authorization'))
  next()
}
