import { httpContract } from '../contract/http-contract.js'
import { serveExpress } from './servers/express.js'
import { serveFastify } from './servers/fastify.js'
import { serveHono } from './servers/hono.js'
import { serveHttp } from './servers/http.js'
import { serveKoa } from './servers/koa.js'
import { serveNest, serveNestOnFastify } from './servers/nest.js'

httpContract('Express', serveExpress)
httpContract('Fastify', serveFastify)
httpContract('Koa', serveKoa)
// @hono/node-server closes the connection then
httpContract('Hono', serveHono, { keepsHalfReadConnections: false })
httpContract('plain http', serveHttp, { hasErrorHandler: false })
httpContract('NestJS', serveNest)
httpContract('NestJS on Fastify', serveNestOnFastify)
