import pg from 'pg'
import { openPostgresStore } from '#src/store/postgres/store.js'
import { storeContract } from '../contract/store-contract.js'
import { describePostgres, freshSchema, sharedPostgresUrl } from '../kit/postgres.js'
import type { Scope } from '../kit/temporary.js'

describePostgres('PostgreSQL', () => {
  const schemas = new WeakMap<Scope, string>()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = await sharedPostgresUrl()
  })

  function schemaOf(scope: Scope): string {
    const schema = schemas.get(scope) ?? freshSchema()
    if (!schemas.has(scope)) scope.defer(() => dropSchema(url, schema))
    schemas.set(scope, schema)
    return schema
  }

  storeContract('postgres', {
    open: (scope, clock) => openPostgresStore({ url, schema: schemaOf(scope), clock }),
    address: (scope) => ({ driver: 'postgres', url, schema: schemaOf(scope) }),
  })
})

async function dropSchema(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await client.end()
}
