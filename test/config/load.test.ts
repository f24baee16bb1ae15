import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '#config/config.js'
import type { LoadOptions } from '#config/load.js'
import { loadConfig } from '#config/load.js'
import { ErrandError } from '#src/errors.js'
import { emptyFolder, folderWith, setVariables } from './folder.js'

const load = (files: Readonly<Record<string, string>>, options: LoadOptions = {}): Promise<Config> =>
  loadConfig({ env: 'development', cwd: folderWith(files), ...options })

async function failure(loading: Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await loading.then(() => undefined, (reason: unknown) => reason)
  expect(error).to.be.instanceOf(ErrandError)
  return error as ErrandError // the line above says so
}

describe('loading the configuration', () => {
  it('has withAsync off and every documented default when there is no file', async () => {
    const cwd = folderWith({})

    const config = await loadConfig({ cwd, env: 'development' })

    expect(config).to.deep.equal({
      withAsync: false,
      service: 'shop',
      environment: 'development',
      baseDir: cwd,
      file: undefined,
      services: [],
      container: undefined,
      dataDir: join(cwd, '.errand'),
      broker: { kind: 'sqlite', file: join(cwd, '.errand', 'queue.sqlite'), durability: 'full' },
      seal: 'secrets',
      keys: [],
      headers: ['authorization', 'accept-language', 'x-request-id', 'traceparent', 'tracestate'],
      secretHeaders: ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'],
      outsideRequest: 'enqueue',
      payloadLimit: 1_048_576,
      expiresMs: 30 * 86_400_000,
      resultTimeoutMs: 30_000,
      retries: 0,
      maxCrashes: 3,
      reverify: false,
      carriers: [],
      errorReporter: undefined,
      worker: {
        spawn: true,
        processes: 1,
        concurrency: Math.max(2, 2 * availableParallelism()),
        queues: ['default'],
        graceMs: 30_000,
        maxMemoryMb: 0,
        keepAlive: true,
        listen: false,
        logLevel: 'info',
      },
    })
  })

  it('is the same with a file that only says withAsync', async () => {
    const config = await load({ 'async.config.yaml': 'withAsync: true\n' })

    expect(config.withAsync).to.equal(true)
    expect(config.file).to.equal(join(config.baseDir, 'async.config.yaml'))
    expect(config.services).to.deep.equal([])
  })

  it('has withAsync off when the file does not name it, or is empty', async () => {
    expect((await load({ 'async.config.yaml': 'service: shop\n' })).withAsync).to.equal(false)
    expect((await load({ 'async.config.yaml': '' })).withAsync).to.equal(false)
    expect((await load({ 'async.config.yaml': '# withAsync: true\n' })).withAsync).to.equal(false)
  })

  it('cannot be changed once it is loaded, at any depth', async () => {
    const config = await load({ 'async.config.yaml': 'services: [a.ts]' })

    expect(Object.isFrozen(config)).to.equal(true)
    expect(Object.isFrozen(config.worker)).to.equal(true)
    expect(Object.isFrozen(config.services)).to.equal(true)
  })

  it('reads every key', async () => {
    const config = await load({
      'async.config.yaml': `
withAsync: true
service: mailer
environment: staging
services: ./services/*.ts
container: ./container.ts
dataDir: var/queue
broker:
  urls: [amqps://a.example/v, amqps://b.example/v]
  namespace: mail
  queueType: classic
  connectTimeout: 5
  confirmTimeout: 2s
  heartbeat: 1500ms
  tls: { ca: ca.pem, cert: c.pem, key: k.pem, passphrase: sesame }
seal: message
keys: [k2:bbbb, k1:aaaa]
headers: [X-Tenant]
secretHeaders: [X-Session, Cookie]
outsideRequest: error
payloadLimit: 512kb
expires: 0
resultTimeout: 1m
retries: 5
maxCrashes: 1
reverify: true
carriers: [cls-hooked, ./tenant.ts]
errorReporter: ./report.ts
worker:
  spawn: false
  processes: 2
  concurrency: 7
  queues: [default, slow, slow]
  grace: 2m
  maxMemory: 150
  keepAlive: false
  listen: true
  logLevel: debug
`,
    })

    const { baseDir, file: _file, ...rest } = config
    expect(rest).to.deep.equal({
      withAsync: true,
      service: 'mailer',
      environment: 'staging',
      services: ['./services/*.ts'],
      container: './container.ts',
      dataDir: join(baseDir, 'var/queue'),
      broker: {
        kind: 'rabbitmq',
        urls: ['amqps://a.example/v', 'amqps://b.example/v'],
        namespace: 'mail',
        queueType: 'classic',
        connectTimeoutMs: 5000,
        confirmTimeoutMs: 2000,
        heartbeatSeconds: 2,
        tls: { ca: join(baseDir, 'ca.pem'), cert: join(baseDir, 'c.pem'), key: join(baseDir, 'k.pem'), passphrase: 'sesame' },
      },
      seal: 'message',
      keys: ['k2:bbbb', 'k1:aaaa'],
      headers: ['x-tenant'],
      secretHeaders: ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'x-session'],
      outsideRequest: 'error',
      payloadLimit: 524_288,
      expiresMs: 0,
      resultTimeoutMs: 60_000,
      retries: 5,
      maxCrashes: 1,
      reverify: true,
      carriers: ['cls-hooked', './tenant.ts'],
      errorReporter: './report.ts',
      worker: {
        spawn: false,
        processes: 2,
        concurrency: 7,
        queues: ['default', 'slow'],
        graceMs: 120_000,
        maxMemoryMb: 150,
        keepAlive: false,
        listen: true,
        logLevel: 'debug',
      },
    })
  })

  it('treats a section whose lines are all comments as a section without keys', async () => {
    const config = await load({ 'async.config.yaml': 'worker:\n  # processes: 2\n' })

    expect(config.worker.processes).to.equal(1)
  })
})

describe('the broker key', () => {
  const broker = async (yaml: string) => (await load({ 'async.config.yaml': yaml })).broker

  it('takes every short form', async () => {
    const { broker: plain, dataDir } = await load({ 'async.config.yaml': 'broker: sqlite' })
    expect(plain).to.deep.equal({ kind: 'sqlite', file: join(dataDir, 'queue.sqlite'), durability: 'full' })
    const { broker: named, baseDir } = await load({ 'async.config.yaml': 'broker: sqlite:jobs/queue.db' })
    expect(named).to.deep.equal({ kind: 'sqlite', file: join(baseDir, 'jobs/queue.db'), durability: 'full' })
    expect(await broker('broker: memory')).to.deep.equal({ kind: 'memory' })
    expect(await broker('broker: amqp://localhost')).to.deep.include({ kind: 'rabbitmq', urls: ['amqp://localhost'] })
    expect(await broker('broker: [amqp://a, amqp://b]')).to.deep.include({ urls: ['amqp://a', 'amqp://b'] })
  })

  it('is RabbitMQ with quorum queues and the service as namespace unless it says otherwise', async () => {
    expect(await broker('broker: { url: amqp://localhost }')).to.deep.equal({
      kind: 'rabbitmq',
      urls: ['amqp://localhost'],
      namespace: 'shop',
      queueType: 'quorum',
      connectTimeoutMs: 10_000,
      confirmTimeoutMs: 30_000,
      heartbeatSeconds: 10,
      tls: {},
    })
  })

  it('is SQLite when the section names no address', async () => {
    expect(await broker('broker: { durability: normal }')).to.include({ kind: 'sqlite', durability: 'normal' })
  })
})

describe('finding the configuration', () => {
  it('looks in the folders above, up to the one of the package', async () => {
    const root = folderWith({ 'async.config.yaml': 'withAsync: true', 'src/deep/a.ts': '' })

    const config = await loadConfig({ cwd: join(root, 'src/deep') })

    expect(config.withAsync).to.equal(true)
    expect(config.baseDir).to.equal(root)
  })

  it('does not look above the package', async () => {
    const root = folderWith({ 'async.config.yaml': 'withAsync: true', 'inner/package.json': '{}' })

    expect((await loadConfig({ cwd: join(root, 'inner') })).withAsync).to.equal(false)
  })

  it('does not pick up a file above a folder that is in no package', async () => {
    const root = emptyFolder()
    writeFileSync(join(root, 'async.config.yaml'), 'withAsync: true')
    mkdirSync(join(root, 'inner'))

    expect((await loadConfig({ cwd: join(root, 'inner') })).withAsync).to.equal(false)
    expect((await loadConfig({ cwd: root })).withAsync).to.equal(true)
  })

  it('reads the named file, with the one of the environment beside it', async () => {
    const files = { 'etc/jobs.yaml': 'service: one\nretries: 1', 'etc/jobs.test.yaml': 'retries: 2', 'async.config.yaml': 'retries: 9' }

    const config = await load(files, { file: 'etc/jobs.yaml', env: 'test' })

    expect([config.service, config.retries]).to.deep.equal(['one', 2])
  })

  it('says so when the named file does not exist', async () => {
    const error = await failure(load({}, { file: 'nowhere.yaml' }))

    expect(error.code).to.equal('CONFIG_NOT_FOUND')
    expect(error.message).to.contain('nowhere.yaml').and.contain('errand init')
  })

  it('refuses to overlook a file whose name ends in .yml', async () => {
    const error = await failure(load({ 'async.config.yml': 'withAsync: true' }))

    expect(error.code).to.equal('CONFIG_INVALID')
    expect(error.message).to.contain('async.config.yml is not read')
  })

  it('names the service after the package, its scope included, or after the folder', async () => {
    expect((await load({ 'package.json': '{"name":"@acme/mail er"}' })).service).to.equal('acme-mail-er')
    for (const text of ['{}', '[]', 'no json']) {
      const unnamed = await load({ 'package.json': text })
      expect(unnamed.service).to.equal(basename(unnamed.baseDir))
    }
  })
})

describe('environments', () => {
  const files = {
    'async.config.yaml': 'withAsync: true\nretries: 1\nservices: [a.ts, b.ts]\nworker:\n  processes: 2\n  concurrency: 4\n',
    'async.config.production.yaml': 'retries: 7\nservices: [c.ts]\nworker:\n  concurrency: 50\n',
  }

  it('puts the file of the environment over the general one, key by key', async () => {
    const config = await load(files, { env: 'production' })

    expect(config.withAsync).to.equal(true)
    expect(config.retries).to.equal(7)
    expect(config.services).to.deep.equal(['c.ts'])
    expect([config.worker.processes, config.worker.concurrency]).to.deep.equal([2, 50])
    expect(config.environment).to.equal('production')
  })

  it('takes the environment from the option, ERRAND_ENV, NODE_ENV, in this order', async () => {
    const retries = async (env: string | undefined) => (await load(files, { env })).retries

    setVariables({ ERRAND_ENV: undefined, NODE_ENV: 'production' })
    expect(await retries(undefined)).to.equal(7)
    setVariables({ ERRAND_ENV: 'test' })
    expect(await retries(undefined)).to.equal(1)
    expect(await retries('production')).to.equal(7)
    setVariables({ ERRAND_ENV: undefined, NODE_ENV: undefined })
    expect((await load(files, { env: undefined })).environment).to.equal('development')
  })

  it('reads the file of the environment alone when there is no general one', async () => {
    const config = await load({ 'async.config.test.yaml': 'withAsync: true' }, { env: 'test' })

    expect(config.withAsync).to.equal(true)
    expect(config.file).to.equal(join(config.baseDir, 'async.config.test.yaml'))
  })

  it('finds the same configuration again by the file and environment it reports', async () => {
    const first = await load(files, { env: 'production' })

    const again = await loadConfig({ cwd: emptyFolder(), file: first.file, env: 'production' })

    expect(again).to.deep.equal(first)
  })

  it('lets a broker replace the one below, and keeps settings that fit it', async () => {
    const below = 'broker:\n  url: amqp://localhost\n  confirmTimeout: 3s\n'
    const over = async (text: string) =>
      (await load({ 'async.config.yaml': below, 'async.config.test.yaml': text }, { env: 'test' })).broker

    expect(await over('broker: amqp://elsewhere')).to.deep.include({ urls: ['amqp://elsewhere'], confirmTimeoutMs: 3000 })
    expect(await over('broker: { urls: [amqp://a] }')).to.deep.include({ urls: ['amqp://a'], confirmTimeoutMs: 3000 })
    expect(await over('broker: { heartbeat: 5 }')).to.deep.include({ urls: ['amqp://localhost'], heartbeatSeconds: 5 })
    expect(await over('broker: memory')).to.deep.equal({ kind: 'memory' })
    expect((await over('broker: sqlite')).kind).to.equal('sqlite')
  })

  it('lets key replace keys of the file below', async () => {
    const config = await load({ 'async.config.yaml': 'keys: [a:1, b:2]', 'async.config.test.yaml': 'key: c:3' }, { env: 'test' })

    expect(config.keys).to.deep.equal(['c:3'])
  })

  it('refuses an environment that is no plain name, because it is part of a file name', async () => {
    const error = await failure(load(files, { env: '../../etc' }))

    expect(error.code).to.equal('OPTION_INVALID')
    expect(error.message).not.to.contain('etc')
  })
})

describe('overrides', () => {
  it('win over the files, and undefined ones say nothing', async () => {
    const config = await load(
      { 'async.config.yaml': 'withAsync: true\nretries: 1' },
      { overrides: { retries: 3, withAsync: undefined, worker: { processes: 4, concurrency: undefined } } },
    )

    expect([config.withAsync, config.retries, config.worker.processes]).to.deep.equal([true, 3, 4])
  })

  it('are enough without any file', async () => {
    const config = await load({}, { overrides: { withAsync: true, broker: 'memory' } })

    expect([config.withAsync, config.broker.kind, config.file]).to.deep.equal([true, 'memory', undefined])
  })

  it('are checked like a file', async () => {
    // @ts-expect-error a key that does not exist
    const error = await failure(load({}, { overrides: { withAsnc: true } }))

    expect(error.code).to.equal('CONFIG_INVALID')
    expect(error.message).to.contain('withAsnc: unknown key; did you mean "withAsync"?')
  })
})
