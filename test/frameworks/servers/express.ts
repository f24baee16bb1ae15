import express from 'express'
import * as adapter from 'errand/express'
import { requestContext } from 'errand/express'
import { madeBy, served, SESSION_COOKIE, userOf, type HttpApp } from '../../contract/http-app.js'
import type { ServedApp } from '../../contract/framework-contract.js'

export async function serveExpress({ mounts, parses, own, onError }: HttpApp): Promise<ServedApp> {
  const app = express()
  app.use(requestContext())
  app.use((request: express.Request & { user?: unknown }, response, next) => {
    request.user = userOf(request.headers)
    response.append('Set-Cookie', SESSION_COOKIE).vary('Origin')
    next()
  })
  if (parses) app.use(express.json())
  for (const [path, mounted] of Object.entries(mounts)) app.use(path || '/', madeBy(adapter, mounted))
  for (const [path, text] of Object.entries(own)) app.get(path, (_request, response) => void response.send(text))
  app.use((error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    onError(error)
    response.status(500).send('failed')
  })
  return served(app.listen(0, '127.0.0.1'))
}
