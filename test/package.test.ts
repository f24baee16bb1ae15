import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { Consumer } from './package/consumer.js'

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>
}

// npm itself reads the same file
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const ENTRIES = Object.keys(manifest.exports)
  .filter((entry) => entry !== './package.json')
  .map((entry) => posix.join('errand', entry))

const SERVICE = `
import { asyncTask, context, withContext } from 'errand'
import type { TaskHandle } from 'errand'
class Mail {
  @asyncTask()
  async send(to: string): Promise<void> {
    console.log('sent to', to, 'for', context().user?.id)
  }
  @asyncTask({ result: true })
  async count(of: string): Promise<number> {
    return of.length
  }
}
const mail = new Mail()
export type Handle = TaskHandle<number>
async function main(): Promise<void> {
  await withContext({ user: { id: 'ada' } }, () => mail.send('bob'))
  console.log('counted', await mail.count('four'))
}
void main()
`
const SERVICE_SAYS = 'sent to bob for ada\ncounted 4\n'

describe('The published package', function () {
  this.timeout(180_000)
  let consumer: Consumer

  before(() => {
    consumer = Consumer.create()
  })
  after(() => consumer.remove())

  it('holds what is needed to use it, and nothing else', () => {
    const { stdout } = spawnSync('tar', ['-tzf', consumer.tarball], { encoding: 'utf8' })
    const files = stdout
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''))
    const allowed =
      /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|schema\/[\w.-]+\.json|dist\/(?:src|worker|config)\/.+\.(?:js|d\.ts)(?:\.map)?)$/
    expect(files.filter((name) => !allowed.test(name))).to.deep.equal([])
    expect(files).to.include.members(['LICENSE', 'README.md', 'dist/src/index.js', 'dist/src/index.d.ts', 'dist/worker/main.js'])
  })

  it('asks for no optional package', () => {
    const installed = Object.keys(manifest.peerDependencies).filter(
      (name) => consumer.node(['-e', `require.resolve('${name}')`]).status === 0,
    )
    expect(installed).to.deep.equal([])
    expect(
      Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true),
    ).to.deep.equal([])
  })

  it('can be imported at every entry', () => {
    const source = ENTRIES.map(
      (entry) => `if (Object.keys(await import('${entry}')).length === 0) throw new Error('${entry} is empty')`,
    ).join('\n')
    expect(consumer.run('all.mjs', source)).to.deep.equal({ status: 0, said: '' })
  })

  it('can be required at every entry, and is the same as when imported', () => {
    const source = ENTRIES.map((entry) => `same('${entry}', require('${entry}'))`).join('\n')
    const same = `async function same(entry, required) {
      const imported = await import(entry)
      for (const name of Object.keys(imported)) if (imported[name] !== required[name]) throw new Error(entry + ': ' + name)
    }\n`
    expect(consumer.run('all.cjs', same + source)).to.deep.equal({ status: 0, said: '' })
  })

  it('ends by itself after an import: nothing is opened', () => {
    expect(
      consumer.run(
        'idle.mjs',
        "import 'errand'\nconsole.log(process.getActiveResourcesInfo().filter((kind) => !/Pipe|TTY|File|Close/.test(kind)).join())",
      ),
    ).to.deep.equal({
      status: 0,
      said: '\n',
    })
  })

  it('offers its schema and its command', () => {
    const { status, said } = consumer.node([join('node_modules', 'errand', 'dist', 'src', 'cli', 'main.js'), '--help'])
    expect(said).to.include('errand')
    expect(status).to.equal(0)
    const schema = readFileSync(join(consumer.folder, 'node_modules', 'errand', 'schema', 'async.config.schema.json'), 'utf8')
    expect(JSON.parse(schema)).to.have.property('properties').that.has.property('withAsync')
  })

  for (const [dialect, flags] of Object.entries({
    legacy: { experimentalDecorators: true, emitDecoratorMetadata: true },
    standard: {},
  })) {
    for (const [kind, module] of Object.entries({ module: 'nodenext', commonjs: 'commonjs' })) {
      it(`compiles and runs with ${dialect} decorators in a ${kind} project`, () => {
        const folder = `${dialect}-${kind}`
        consumer.write(`${folder}/package.json`, `{ "type": "${kind}" }`)
        consumer.write(`${folder}/service.ts`, SERVICE)
        expect(consumer.compile([`${folder}/service.ts`], { module, ...flags })).to.deep.equal({ status: 0, said: '' })
        expect(consumer.node([`${folder}/service.js`])).to.deep.equal({ status: 0, said: SERVICE_SAYS })
      })
    }
  }

  it('has types at every entry, in both kinds of project', () => {
    const source = ENTRIES.map(
      (entry, index) => `import * as e${index} from '${entry}'\nexport const k${index}: object = e${index}`,
    ).join('\n')
    consumer.write('entries/package.json', '{ "type": "module" }')
    consumer.write('entries/entries.ts', source)
    consumer.write('entries/entries2.cts', source)
    const files = ['entries/entries.ts', 'entries/entries2.cts']
    expect(consumer.compile(files, { module: 'nodenext', noEmit: true })).to.deep.equal({ status: 0, said: '' })
  })

  it('is in order for publint and for "are the types wrong"', () => {
    const publint = consumer.node([
      join(process.cwd(), 'node_modules', 'publint', 'src', 'cli.js'),
      'run',
      consumer.tarball,
      '--strict',
    ])
    expect(publint.said).to.include('All good')
    expect(publint.status, publint.said).to.equal(0)
    const attw = [
      join(process.cwd(), 'node_modules', 'attw', 'dist', 'index.js'),
      consumer.tarball,
      '--profile',
      'esm-only',
      '--no-color',
      '--no-emoji',
    ]
    const { status, said } = consumer.node(attw)
    expect(status, said).to.equal(0)
  })
})
