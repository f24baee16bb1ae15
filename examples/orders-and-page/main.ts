// cd examples/orders-and-page && node ../../build/examples/orders-and-page/main.js
// Orders and a waiting page in Express; add "serve" and look at it in a browser.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { start } from 'errand'
import { openTour } from '../postbox.js'
import { port, visit } from '../shop.js'
import { createApp } from './app.js'

const tour = await openTour('orders-and-page')
const running = await start({ dataDir: tour.dataDir })
const server = createApp().listen(port, '127.0.0.1')
try {
  await Promise.all([once(server, 'listening'), running.ready])
  const address = server.address() as AddressInfo // it listens on a TCP port
  await visit(`http://127.0.0.1:${address.port}`)
} finally {
  server.closeAllConnections()
  server.close()
  await running.stop()
  await tour.close()
}
