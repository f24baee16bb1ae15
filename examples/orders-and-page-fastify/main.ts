// cd examples/orders-and-page-fastify && node ../../build/examples/orders-and-page-fastify/main.js
// Orders and a waiting page in Fastify; add "serve" and look at it in a browser.
import { start } from 'errand'
import { openTour } from '../postbox.js'
import { port, visit } from '../shop.js'
import { createApp } from './app.js'

const tour = await openTour('orders-and-page-fastify')
const running = await start({ dataDir: tour.dataDir })
const app = await createApp()
try {
  const origin = await app.listen({ port, host: '127.0.0.1' })
  await running.ready
  await visit(origin)
} finally {
  await app.close()
  await running.stop()
  await tour.close()
}
