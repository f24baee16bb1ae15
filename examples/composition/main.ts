// cd examples/composition && node ../../build/examples/composition/main.js
// Tasks one after the other, tasks after a group, and what follows a failure: all as messages, while nobody waits.
import assert from 'node:assert/strict'
import { all, chain, enqueue, start, withContext } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { mail, shop } from './services/shop.js'

const tour = await openTour('composition')
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready

  const sent = await withContext({ user: { id: 7, name: 'Ada' } }, () =>
    chain(
      () => shop.collect(2026),
      (rows) => shop.render(rows),
      (page) => enqueue(() => mail.send(page), { priority: 9 }),
    ),
  )
  await sent.result()
  assert.equal(await sent.steps[1]?.result(), '2 rows for Ada')

  const total = await all([() => shop.price('tea'), () => shop.price('jam'), () => shop.price('bread')], (prices) => shop.sum(prices))
  console.log(`${await total.result()} for all`)

  await enqueue(() => shop.render(['a row']), { then: (page) => mail.send(page), onFailed: (error) => mail.warn(error) })
  await delivered(2)

  const unsold = await chain(() => shop.price('gold'), (price) => enqueue(() => shop.sum([price]), { onFailed: (error) => mail.warn(error) }))
  const error = await unsold.result().catch((failure: unknown) => failure) // rejects with STEP_FAILED; its cause is the error of the step
  assert.match(String(error), /^ErrandError: ShopService.sum was not run: a step before it, ShopService.price .* failed: nobody sells gold$/)

  const letters = await delivered(3)
  for (const { to, text } of letters) console.log(`${to}: ${text.replace(/\(id .*?\)/, '(id …)')}`)
} finally {
  await running.stop()
  await tour.close()
}
