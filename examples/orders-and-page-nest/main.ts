// cd examples/orders-and-page-nest && node ../../build/examples/orders-and-page-nest/main.js
// Orders and a waiting page in NestJS; add "serve" and look at it in a browser.
import { NestFactory } from '@nestjs/core'
import { start } from 'errand'
import { openTour } from '../postbox.js'
import { port, visit } from '../shop.js'
import { AppModule } from './app.module.js'

const tour = await openTour('orders-and-page-nest')
const running = await start({ dataDir: tour.dataDir })
const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'], forceCloseConnections: true })
try {
  await app.listen(port, '127.0.0.1')
  await running.ready
  await visit(await app.getUrl())
} finally {
  await app.close()
  await running.stop()
  await tour.close()
}
