import express from 'express'
import { orders, requestContext, waitingPage } from 'errand/express'
import { askForYear, personOf, type Person } from '../shop.js'
import { reports } from './services/reports.js'

type SignedIn = express.Request & { user?: Person | undefined }

export function createApp(): express.Express {
  const app = express()
  app.use(requestContext({ user: (request: SignedIn) => request.user }))
  app.use((request: SignedIn, _response, next) => {
    request.user = personOf(request.get('authorization'))
    next()
  })
  app.use('/async', orders())
  app.use('/report', waitingPage({ run: 'show', service: reports, initialPage: askForYear }))
  return app
}
