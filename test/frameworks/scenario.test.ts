import { ReportsApp } from '../contract/http-person.js'
import { ordersScenario } from '../contract/orders-scenario.js'
import { pageScenario } from '../contract/page-scenario.js'
import { serveExpress } from './servers/express.js'
import { serveFastify } from './servers/fastify.js'
import { serveHono } from './servers/hono.js'
import { serveHttp } from './servers/http.js'
import { serveKoa } from './servers/koa.js'
import { serveNest, serveNestOnFastify } from './servers/nest.js'

const FRAMEWORKS = {
  Express: serveExpress,
  Fastify: serveFastify,
  Koa: serveKoa,
  Hono: serveHono,
  'plain http': serveHttp,
  NestJS: serveNest,
  'NestJS on Fastify': serveNestOnFastify,
}

describe('With a worker', function () {
  this.timeout(120_000) // processes start
  const app = new ReportsApp()
  before(() => app.open())
  after(() => app.close())

  for (const [name, serve] of Object.entries(FRAMEWORKS)) {
    ordersScenario(name, serve, app)
    pageScenario(name, serve, app)
  }
})
