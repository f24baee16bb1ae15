import { z } from 'zod'
import { callbacks } from './callbacks-schema.js'
import { BROKER_DEFAULTS, DEFAULTS, WORKER_DEFAULTS } from './defaults.js'
import { schedule } from './schedule-schema.js'
import {
  amqpUrl, choice, duration, flag, headerName, isAmqpUrl, key, listOf, name, NO_AMQP_URL, postgresUrl, size, storeAddress, text, whole,
} from './fields.js'

const BROKER_TEXT = /^(sqlite(:.+)?|memory|amqps?:\/\/.+)$/

const tls = z.strictObject(
  {
    ca: key(text('the path of a file'), 'PEM file of the certificate authorities to trust.', 'those of Node'),
    cert: key(text('the path of a file'), 'PEM file of the client certificate.', 'none'),
    key: key(text('the path of a file'), 'PEM file of the private key of the client certificate.', 'none'),
    passphrase: key(text('a text'), 'Passphrase of that private key.', 'none'),
  },
  { error: 'must be a section with ca, cert, key or passphrase' },
)

const brokerSection = z
  .strictObject({
    url: key(amqpUrl(), 'URL of a RabbitMQ node. Not together with urls or file.', 'none'),
    urls: key(
      listOf(amqpUrl(), 'amqp URLs').min(1, { error: 'must name at least one URL' }),
      'URLs of the nodes of one RabbitMQ cluster.',
      'none',
    ),
    file: key(text('the path of a file'), 'File of the embedded queue.', `${BROKER_DEFAULTS.file} in dataDir`),
    durability: key(
      choice('full', 'normal'),
      'SQLite only: full survives a power cut; normal survives every crash of a process, and is faster on slow disks.',
      BROKER_DEFAULTS.durability,
    ),
    namespace: key(name('a name'), 'RabbitMQ only: prefix of all queues and exchanges.', 'the service'),
    queueType: key(
      choice('quorum', 'classic'),
      'RabbitMQ only: kind of the queues; classic ones are not replicated.',
      BROKER_DEFAULTS.queueType,
    ),
    connectTimeout: key(duration(), 'RabbitMQ only: how long one attempt to connect may take.', BROKER_DEFAULTS.connectTimeout),
    confirmTimeout: key(
      duration(),
      'RabbitMQ only: how long the broker may take to confirm a message before the call rejects.',
      BROKER_DEFAULTS.confirmTimeout,
    ),
    heartbeat: key(
      duration(),
      'RabbitMQ only: a connection silent for two or three of these is given up; 0 switches that off.',
      BROKER_DEFAULTS.heartbeat,
    ),
    ackTimeout: key(
      duration(),
      'RabbitMQ only: the consumer_timeout of the server. A task that runs for a third of it is put on watch, and may run on for as long as it takes.',
      BROKER_DEFAULTS.ackTimeout,
    ),
    tls: key(tls, 'RabbitMQ only: files for amqps URLs.', 'none'),
  })
  .superRefine((broker, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const addresses = (['url', 'urls', 'file'] as const).filter((given) => broker[given] !== undefined)
    const extra = addresses[1]
    if (extra !== undefined) return refuse(extra, `cannot stand together with ${String(addresses[0])}; keep one`)
    const isRabbit = addresses[0] === 'url' || addresses[0] === 'urls'
    if (isRabbit && broker.durability !== undefined) refuse('durability', 'is for the embedded queue only; remove it')
    const urls = broker.urls ?? (broker.url === undefined ? [] : [broker.url])
    if (broker.tls !== undefined && urls.length > 0 && !urls.some((url) => url.startsWith('amqps:'))) {
      refuse('tls', 'has no effect on amqp URLs; write amqps://')
    }
    if (addresses[0] !== 'file') return
    for (const given of ['namespace', 'queueType', 'connectTimeout', 'confirmTimeout', 'heartbeat', 'ackTimeout', 'tls'] as const) {
      if (broker[given] !== undefined) refuse(given, 'is for RabbitMQ only; remove it')
    }
  })

const BROKER_FORMS = `must be sqlite, sqlite:<file>, memory, an amqp:// or amqps:// URL, a list of such URLs, or a section`

const broker = z.union(
  [
    z
      .string()
      .regex(BROKER_TEXT, { error: BROKER_FORMS })
      .refine((given) => !given.startsWith('amqp') || isAmqpUrl(given), { error: NO_AMQP_URL }),
    z.array(amqpUrl()).min(1, { error: 'must name at least one URL' }),
    brokerSection,
  ],
  { error: BROKER_FORMS },
)

const worker = z.strictObject(
  {
    spawn: key(
      flag(),
      'The server starts and supervises the worker. Set it to false where a process manager runs `errand worker`.',
      WORKER_DEFAULTS.spawn,
    ),
    processes: key(whole(1, 256), 'Worker processes of this service on this host.', WORKER_DEFAULTS.processes),
    concurrency: key(whole(1, 10_000), 'Tasks that one worker process runs at once.', 'twice the CPUs, at least 2'),
    queues: key(
      listOf(name('the name of a queue'), 'names of queues').min(1, { error: 'must name at least one queue' }),
      'Queues it consumes.',
      WORKER_DEFAULTS.queues,
    ),
    grace: key(
      duration(),
      'How long running tasks may go on after a stop was asked for; then they are handed back.',
      WORKER_DEFAULTS.grace,
    ),
    isolation: key(
      choice('inline', 'thread', 'process'),
      'Where bodies run: in the worker, in a thread of it, or in a process of their own.',
      WORKER_DEFAULTS.isolation,
    ),
    maxMemory: key(
      whole(0, 1_048_576),
      'Megabytes of resident memory above which a worker process is replaced, after its running tasks; 0 switches that off.',
      WORKER_DEFAULTS.maxMemory,
    ),
    keepAlive: key(flag(), 'A worker that died is started again, with growing pauses.', WORKER_DEFAULTS.keepAlive),
    listen: key(flag(), 'Modules loaded in the worker may open ports.', WORKER_DEFAULTS.listen),
    logLevel: key(
      choice('debug', 'info', 'warn', 'error', 'silent'),
      'What the worker writes to its output.',
      WORKER_DEFAULTS.logLevel,
    ),
  },
  { error: 'must be a section with keys such as concurrency' },
)

const globs = z.union([text('a glob'), listOf(text('a glob'), 'globs')], { error: 'must be a glob or a list of globs' })
const sealingKey = () => text('a key as `errand key` prints it')

/** What a user may write in `async.config.yaml` and hand to `start()`. Every key may be left out. */
export const configSchema = z
  .strictObject(
    {
      withAsync: key(
        flag(),
        'Calls become messages and the server starts a worker. When false, bodies run here and now.',
        DEFAULTS.withAsync,
      ),
      service: key(
        name('a name'),
        'Name of the application; it keeps applications on one broker apart.',
        'the name in the nearest package.json, else of its folder',
      ),
      environment: key(
        name('a name'),
        'Messages never cross from one environment to another.',
        'ERRAND_ENV, else NODE_ENV, else development',
      ),
      services: key(
        globs,
        'Globs of the modules with tasks, from the folder of this file.',
        'the modules in which the tasks of the server were declared',
      ),
      container: key(text('the path of a module'), 'Module that says how instances of services are made.', 'none'),
      dataDir: key(
        text('the path of a folder'),
        'Folder of the queue file, the key file and locks, from the folder of this file.',
        DEFAULTS.dataDir,
      ),
      broker: key(broker, 'Where messages wait: sqlite, sqlite:<file>, memory, amqp URLs, or a section.', DEFAULTS.broker),
      database: key(
        postgresUrl(),
        'PostgreSQL database of the application, in which calls made within a transaction wait until it commits.',
        'none',
      ),
      store: key(
        storeAddress(),
        'Where it is kept how each task stands: sqlite, sqlite:<file>, postgres://…, memory, or off.',
        'sqlite; memory with broker: memory',
      ),
      keepCompleted: key(
        duration(),
        'How long it is kept how a task stands that completed or was cancelled, and its result.',
        DEFAULTS.keepCompleted,
      ),
      keepFailed: key(duration(), 'How long it is kept how a task stands that failed.', DEFAULTS.keepFailed),
      seal: key(
        choice('secrets', 'context', 'message'),
        'How much of a message is encrypted. All of it is authenticated always.',
        DEFAULTS.seal,
      ),
      key: key(
        sealingKey(),
        'The sealing key, as `errand key` prints it; best from the environment: ${ERRAND_KEY}.',
        'the key file in dataDir',
      ),
      keys: key(
        listOf(sealingKey(), 'keys').min(1, { error: 'must hold at least one key' }),
        'Several sealing keys for rotation: the first seals, all of them open. Not together with key.',
        'the key file in dataDir',
      ),
      headers: key(
        listOf(headerName(), 'header names'),
        'Headers of a request that travel with a call; no others do.',
        DEFAULTS.headers,
      ),
      secretHeaders: key(
        listOf(headerName(), 'header names'),
        'Headers that are encrypted when they travel; what is named here is added to the default.',
        DEFAULTS.secretHeaders,
      ),
      outsideRequest: key(choice('enqueue', 'inline', 'error'), 'What a call outside any request does.', DEFAULTS.outsideRequest),
      whenBrokerAway: key(
        choice('spool', 'reject'),
        'RabbitMQ only: what a call does while the broker is away. reject: it rejects; spool: it is kept in a file in dataDir and sent later.',
        DEFAULTS.whenBrokerAway,
      ),
      outboxLimit: key(
        whole(1, 100_000_000),
        'Calls kept at most with `whenBrokerAway: spool`; beyond that they reject.',
        DEFAULTS.outboxLimit,
      ),
      payloadLimit: key(size(), 'The largest message.', DEFAULTS.payloadLimit),
      expires: key(
        duration(),
        'How long a message may wait after it is due before a worker refuses it; 0: for ever.',
        DEFAULTS.expires,
      ),
      resultTimeout: key(duration(), 'How long a plain call of a `result: true` task waits.', DEFAULTS.resultTimeout),
      retries: key(whole(0, 1000), 'Runs after a first failed one, for tasks that say nothing else.', DEFAULTS.retries),
      maxCrashes: key(
        whole(1, 1000),
        'A task under which its process died this often is dead-lettered; one that may be to blame runs in a process of its own.',
        DEFAULTS.maxCrashes,
      ),
      timeLimit: key(duration(), 'How long one run of a task may take before it is aborted; 0: as long as it likes.', DEFAULTS.timeLimit),
      timeLimitGrace: key(
        duration(),
        'How long a run may go on after that, or after it was cancelled; then its thread, process or worker is replaced.',
        DEFAULTS.timeLimitGrace,
      ),
      reverify: key(
        flag(),
        'Refuse to run a task when the bearer token of its caller has expired, with 300 s of leeway.',
        DEFAULTS.reverify,
      ),
      errorStacks: key(flag(), 'Let errors of tasks carry their stacks to the caller and into the store.', DEFAULTS.errorStacks),
      carriers: key(
        listOf(text('the name or path of a carrier'), 'carriers'),
        'Carriers to use: cls-hooked, nestjs-cls, opentelemetry, or paths of modules.',
        'none',
      ),
      errorReporter: key(text('the path of a module'), 'Module whose default export is called with every failure.', 'none'),
      schedules: key(listOf(schedule, 'schedules'), 'Tasks that run by themselves at certain times, beside those that say so themselves.', 'none'),
      callbacks: key(callbacks, 'How orders tell others that they have ended.', 'as below'),
      worker: key(worker, 'The worker.', 'as below'),
    },
    { error: 'must hold keys and values, such as "withAsync: true"' },
  )
  .superRefine((config, context) => {
    if (config.key === undefined || config.keys === undefined) return
    context.addIssue({ code: 'custom', path: ['keys'], message: 'cannot stand together with key; keep one' })
  })

/** What a user may write: the keys of `async.config.yaml`, all optional. */
export type ConfigInput = z.input<typeof configSchema>

/** The forms of the `broker` key. */
export type BrokerInput = NonNullable<ConfigInput['broker']>

/** The keys of the whole and of each section, by path. */
export const knownKeys: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(configSchema.shape),
  broker: Object.keys(brokerSection.shape),
  'broker.tls': Object.keys(tls.shape),
  callbacks: Object.keys(callbacks.shape),
  worker: Object.keys(worker.shape),
  schedules: Object.keys(schedule.shape),
}
