// cd examples/transactions && DATABASE_URL=postgres://… node ../../build/examples/transactions/main.js
// Orders and the calls that belong to them, in one transaction of PostgreSQL. It makes its tables in that database.
import assert from 'node:assert/strict'
import { background, start } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { knex, labels } from './services/labels.js'
import { orders, pool } from './services/orders.js'

await pool.query(`
  CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item text, parcels int DEFAULT 0);
  CREATE TABLE stock (item text, count int CHECK (count >= 0));
  CREATE TABLE labels (text text, filed boolean DEFAULT false);
  INSERT INTO stock VALUES ('tea', 1)`)
const tour = await openTour('transactions')
const running = await start({ dataDir: tour.dataDir })
try {
  await orders.thank(1) // its order is not there yet
  const order = await orders.place('tea')
  await assert.rejects(orders.place('tea'), /violates check constraint/)

  // the first run failed, so the parcel was announced twice and counted once
  const letters = await delivered(3)
  console.log(letters.map(({ to, text }) => `${to}: ${text}`).toSorted().join('\n'))
  await become('1', 'SELECT sum(parcels) FROM orders')

  const handle = await knex.transaction(async (within) => {
    await within('labels').insert({ text: 'a box of labels' })
    return background(labels, { within, priority: 7 }).print(order.id)
  })
  await handle.result() // its transaction has committed
  await become('1', 'SELECT count(*) FROM labels WHERE filed')
  console.log('No order without its parcel, no parcel without its order.')
} finally {
  await running.stop()
  await tour.close()
  await Promise.all([pool.end(), knex.destroy()])
}

/** Waits until the one value that `sql` asks for is `wanted`. */
async function become(wanted: string, sql: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const { rows } = await pool.query({ text: sql, rowMode: 'array' })
    if (String(rows[0]?.[0]) === wanted) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${sql} did not become ${wanted}`)
}
