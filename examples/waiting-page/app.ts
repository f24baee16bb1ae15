import express from 'express'
import { requestContext, waitingPage } from 'errand/express'
import { html } from 'errand/page'
import { reports } from './services/reports.js'

interface Person {
  readonly id: number
  readonly name: string
}

const PEOPLE = new Map<string | undefined, Person>([['Bearer token-of-ada', { id: 7, name: 'Ada' }]])

export function createApp(): express.Express {
  const app = express()
  app.use(requestContext())
  app.use((req: express.Request & { user?: unknown }, _res, next) => {
    req.user = PEOPLE.get(req.get('authorization'))
    next()
  })

  app.use('/report', waitingPage({ service: reports, run: 'yearly' }))

  app.use(
    '/invoice',
    waitingPage({
      service: reports,
      run: 'invoice',
      input: async ({ request }) => {
        const number = Number((await request.formData()).get('number'))
        return Number.isInteger(number) ? [number] : new Response('Which invoice?', { status: 422 })
      },
      key: ({ request }) => new URL(request.url).pathname,
    }),
  )

  app.use(
    '/archive',
    waitingPage({
      service: reports,
      run: 'archive',
      initialPage: ({ links, locale, texts }) =>
        html`<!doctype html><html lang="${locale}"><title>Archive</title><form method="post" action="${links.view}"><button>${texts.start}</button></form></html>`,
      texts: { es: { start: 'Empezar' } },
      isAdmin: ({ user }) => user?.id === 1,
    }),
  )
  return app
}
