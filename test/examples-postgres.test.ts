import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { describePostgres } from './kit/postgres.js'
import { freshDatabase } from './kit/postgres-database.js'
import { startProgram } from './kit/process.js'
import { eachScope } from './kit/temporary.js'

describePostgres('The example with a database', function () {
  this.timeout(120_000) // a server and a worker process start
  const scope = eachScope()

  it('transactions: an order and its call are stored together, and it ends by itself', async () => {
    const { url } = await freshDatabase(scope())
    const program = startProgram(scope(), pathToFileURL(join('build', 'examples', 'transactions', 'main.js')), {
      cwd: join('examples', 'transactions'),
      flags: ['--enable-source-maps', '--disable-warning=ExperimentalWarning'],
      env: { DATABASE_URL: url },
      ownGroup: true,
    })

    const { code } = await program.exited

    expect(program.lines.filter((line) => line !== '' && !line.startsWith('worker[')), program.output).to.deep.equal([
      'customer: thank you for order 1: tea',
      'dispatch: parcel for order 1: tea',
      'dispatch: parcel for order 1: tea',
      'No order without its parcel, no parcel without its order.',
    ])
    expect(code).to.equal(0)
  })
})
