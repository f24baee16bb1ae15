import express from 'express'
import { orders, requestContext, waitingPage } from 'errand/express'
import { personOf, type Person } from './people.js'
import { report } from './services/reports.js'

type SignedIn = express.Request & { user?: Person | undefined }

export function createExpressApp(): express.Express {
  const app = express()
  app.use(requestContext({ user: (request: SignedIn) => request.user }))
  app.use((request: SignedIn, _response, next) => {
    request.user = personOf(request.get('authorization'))
    next()
  })
  app.use('/async', orders())
  app.use('/report', waitingPage({ run: report }))
  return app
}
