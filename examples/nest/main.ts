// cd examples/nest && node ../../build/examples/nest/main.js
// A Nest application whose services run in the worker with all they inject.
import assert from 'node:assert/strict'
import { NestFactory } from '@nestjs/core'
import { start } from 'errand'
import { requestContext } from 'errand/nest'
import type { NextFunction, Request, Response } from 'express'
import { delivered, openTour } from '../postbox.js'
import { AppModule } from './app.module.js'

const tour = await openTour('nest')
const running = await start({ dataDir: tour.dataDir })
const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'], forceCloseConnections: true })
app.use(requestContext())
app.use(signIn)
try {
  await app.listen(0, '127.0.0.1')
  await running.ready

  assert.equal(await post('/sign-up', 'eve@example.org'), 202)
  assert.equal(await post('/newsletter', 'joe@example.org'), 202)

  const letters = await delivered(2)
  assert.ok(letters.every(({ pid }) => pid !== process.pid))
  for (const { to, text } of letters.toSorted((a, b) => a.to.localeCompare(b.to))) console.log(`${to}: ${text}`)

  const who = await fetch(`${await app.getUrl()}/who`, { headers: { authorization: 'Bearer token-of-ada' } })
  console.log(await who.text())
} finally {
  await app.close()
  await running.stop()
  await tour.close()
}

/** Stands for a guard or a strategy of passport, which set the same field. */
function signIn(request: Request & { user?: unknown }, _response: Response, next: NextFunction): void {
  request.user = request.get('authorization') === 'Bearer token-of-ada' ? { id: 7, name: 'Ada' } : undefined
  next()
}

async function post(path: string, email: string): Promise<number> {
  const headers = { authorization: 'Bearer token-of-ada', 'content-type': 'application/json' }
  const response = await fetch((await app.getUrl()) + path, { method: 'POST', headers, body: JSON.stringify({ email }) })
  return response.status
}
