import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { folderWith } from './folder.js'
import { failure, load } from './loading.js'

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
      database: undefined,
      broker: { kind: 'sqlite', file: join(cwd, '.errand', 'queue.sqlite'), durability: 'full' },
      seal: 'secrets',
      keys: [],
      headers: ['authorization', 'accept-language', 'x-request-id', 'traceparent', 'tracestate'],
      secretHeaders: ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'],
      store: { kind: 'sqlite', file: join(cwd, '.errand', 'queue.sqlite'), durability: 'full' },
      keepCompletedMs: 86_400_000,
      keepFailedMs: 30 * 86_400_000,
      whenBrokerAway: 'reject',
      outboxLimit: 100_000,
      outsideRequest: 'enqueue',
      payloadLimit: 1_048_576,
      expiresMs: 30 * 86_400_000,
      resultTimeoutMs: 30_000,
      retries: 0,
      maxCrashes: 3,
      timeLimitMs: 0,
      timeLimitGraceMs: 5_000,
      reverify: false,
      errorStacks: false,
      carriers: [],
      errorReporter: undefined,
      schedules: [],
      callbacks: { hosts: [], allowPrivate: false, secret: undefined, timeoutMs: 10_000, retries: 8 },
      worker: {
        spawn: true,
        processes: 1,
        concurrency: Math.max(2, 2 * availableParallelism()),
        queues: ['default'],
        graceMs: 30_000,
        isolation: 'inline',
        maxMemoryMb: 0,
        keepAlive: true,
        listen: false,
        logLevel: 'info',
      },
    })
  })

  it('costs no parser and no validator when there is no file', async () => {
    const script = `
      import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent(\`
        export async function resolve(name, context, next) {
          if (name === 'zod' || name === 'yaml') throw new Error(name + ' was loaded')
          return next(name, context)
        }\`))
      const { loadConfig } = await import(${JSON.stringify(import.meta.resolve('#config/load.js'))})
      const loading = loadConfig({ cwd: process.argv[1] })
      process.stdout.write(await loading.then((config) => String(config.withAsync), (error) => error.message))`
    const run = (cwd: string): string =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script, cwd], { encoding: 'utf8' })

    expect(run(folderWith({}))).to.equal('false')
    expect(run(folderWith({ 'async.config.yaml': 'withAsync: true' }))).to.equal('yaml was loaded')
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
database: postgres://app:hunter2@db.example/shop
dataDir: var/queue
broker:
  urls: [amqps://a.example/v, amqps://b.example/v]
  namespace: mail
  queueType: classic
  connectTimeout: 5
  confirmTimeout: 2s
  heartbeat: 1500ms
  ackTimeout: 1h
  tls: { ca: ca.pem, cert: c.pem, key: k.pem, passphrase: sesame }
store: postgres://app:geheim@db.example/shop
keepCompleted: 2h
keepFailed: 0
seal: message
keys: [k2:bbbb, k1:aaaa]
headers: [X-Tenant]
secretHeaders: [X-Session, Cookie]
whenBrokerAway: spool
outboxLimit: 500
outsideRequest: error
payloadLimit: 512kb
expires: 0
resultTimeout: 1m
retries: 5
maxCrashes: 1
timeLimit: 1h
timeLimitGrace: 2
reverify: true
errorStacks: true
carriers: [cls-hooked, ./tenant.ts]
errorReporter: ./report.ts
schedules:
  - { task: Reports.weekly, cron: 0 6 * * 1, timezone: Europe/Rome, missed: skip, name: mondays, arguments: [1] }
callbacks: { hosts: ['*.Example.com'], allowPrivate: true, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, timeout: 5, retries: 2 }
worker:
  spawn: false
  processes: 2
  concurrency: 7
  queues: [default, slow, slow]
  grace: 2m
  isolation: thread
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
      database: 'postgres://app:hunter2@db.example/shop',
      dataDir: join(baseDir, 'var/queue'),
      broker: {
        kind: 'rabbitmq',
        urls: ['amqps://a.example/v', 'amqps://b.example/v'],
        namespace: 'mail',
        queueType: 'classic',
        connectTimeoutMs: 5000,
        confirmTimeoutMs: 2000,
        heartbeatSeconds: 2,
        ackTimeoutMs: 3_600_000,
        tls: { ca: join(baseDir, 'ca.pem'), cert: join(baseDir, 'c.pem'), key: join(baseDir, 'k.pem'), passphrase: 'sesame' },
      },
      seal: 'message',
      keys: ['k2:bbbb', 'k1:aaaa'],
      headers: ['x-tenant'],
      secretHeaders: ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'x-session'],
      store: { kind: 'postgres', url: 'postgres://app:geheim@db.example/shop' },
      keepCompletedMs: 7_200_000,
      keepFailedMs: 0,
      whenBrokerAway: 'spool',
      outboxLimit: 500,
      outsideRequest: 'error',
      payloadLimit: 524_288,
      expiresMs: 0,
      resultTimeoutMs: 60_000,
      retries: 5,
      maxCrashes: 1,
      timeLimitMs: 3_600_000,
      timeLimitGraceMs: 2_000,
      reverify: true,
      errorStacks: true,
      carriers: ['cls-hooked', './tenant.ts'],
      errorReporter: './report.ts',
      schedules: [{ task: 'Reports.weekly', cron: '0 6 * * 1', timezone: 'Europe/Rome', missed: 'skip', name: 'mondays', arguments: [1] }],
      callbacks: { hosts: ['*.example.com'], allowPrivate: true, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', timeoutMs: 5000, retries: 2 },
      worker: {
        spawn: false,
        processes: 2,
        concurrency: 7,
        queues: ['default', 'slow'],
        graceMs: 120_000,
        isolation: 'thread',
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
      ackTimeoutMs: 1_800_000,
      tls: {},
    })
  })

  it('is SQLite when the section names no address', async () => {
    expect(await broker('broker: { durability: normal }')).to.include({ kind: 'sqlite', durability: 'normal' })
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
