import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { configJsonSchema } from '#config/json-schema.js'
import { loadConfig } from '#config/load.js'
import { folderWith } from './folder.js'

const read = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')

/** Every key by its path, with the default at the end of its description. */
function defaultsOf(schema: unknown, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  if (typeof schema !== 'object' || schema === null) return found
  if ('anyOf' in schema && Array.isArray(schema.anyOf)) {
    for (const part of schema.anyOf) for (const [key, value] of defaultsOf(part, prefix)) found.set(key, value)
  }
  if (!('properties' in schema) || typeof schema.properties !== 'object' || schema.properties === null) return found
  for (const [name, part] of Object.entries(schema.properties as Record<string, { description?: string }>)) {
    const path = `${prefix}${name}`
    found.set(path, /Default: (.*)\.$/.exec(part.description ?? '')?.[1] ?? 'UNDOCUMENTED')
    for (const [key, value] of defaultsOf(part, `${path}.`)) found.set(key, value)
  }
  return found
}

/** The same from the page: `### \`key\`` and the line that starts with "Default:". */
function defaultsOnPage(page: string): Map<string, string> {
  const sections = page.split(/^### /m).slice(1)
  return new Map(
    sections.map((section) => {
      const key = /^`([\w.]+)`$/m.exec(section)?.[1] ?? 'UNNAMED'
      return [key, (/^Default: (.*)\.$/m.exec(section)?.[1] ?? 'UNDOCUMENTED').replaceAll('`', '')]
    }),
  )
}

describe('the page about the configuration', () => {
  it('documents every key of the schema with its default, and none that does not exist', () => {
    const inSchema = Object.fromEntries(defaultsOf(configJsonSchema()))

    expect(Object.keys(inSchema)).to.have.length.greaterThan(40)
    expect(Object.values(inSchema)).not.to.include('UNDOCUMENTED')
    expect(Object.fromEntries(defaultsOnPage(read('docs/configuration.md')))).to.deep.equal(inSchema)
  })

  it('starts with a whole file that is valid and changes nothing but withAsync and services', async () => {
    const file = /```yaml\n([\s\S]*?)```/.exec(read('docs/configuration.md'))?.[1] ?? ''

    const shown = await loadConfig({ cwd: folderWith({ 'async.config.yaml': file }), env: 'development' })

    const plain = await loadConfig({ cwd: folderWith({}), env: 'development' })
    const { withAsync, services, baseDir: _dir, file: _file, dataDir: _data, broker, store, ...rest } = shown
    const {
      withAsync: _off,
      services: _none,
      baseDir: _dir2,
      file: _file2,
      dataDir: _data2,
      broker: _broker,
      store: plainStore,
      ...plainRest
    } = plain
    expect([withAsync, services, broker.kind, store.kind]).to.deep.equal([true, ['./services/*.ts'], 'sqlite', plainStore.kind])
    expect({ ...rest, worker: { ...rest.worker, concurrency: 0 } }).to.deep.equal({
      ...plainRest,
      worker: { ...plainRest.worker, concurrency: 0 },
    })
  })
})

describe('the JSON Schema for editors', () => {
  it('is the one in schema/; `node scripts/write-schema.mjs` writes it', () => {
    expect(JSON.parse(read('schema/async.config.schema.json'))).to.deep.equal(configJsonSchema())
  })

  it('requires nothing, refuses unknown keys, and admits a variable where a number is wanted', () => {
    const schema = configJsonSchema()

    expect(schema).to.include({ additionalProperties: false })
    expect(schema).not.to.have.property('required')
    expect(schema).to.have.nested.property('properties.retries.anyOf[1].pattern')
  })
})
