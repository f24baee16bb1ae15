import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { randomUUID } from 'node:crypto'
import { startDockerNode } from './rabbit-docker.js'
import { startRabbitNode as startInstalledNode, type NodeOptions, type RabbitNode } from './rabbit-node.js'
import type { RabbitScripts } from './rabbit-server.js'

export type { RabbitNode } from './rabbit-node.js'

interface Found {
  readonly url?: string
  readonly server?: (RabbitScripts & { readonly kind: 'installed'; readonly version?: string }) | { readonly kind: 'docker' }
  readonly missing?: string
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const found = await findServer()

/**
 * Like `describe`, for tests that need RabbitMQ. Without a server the tests fail in CI, and elsewhere are left out with a line that
 * says what is missing. `own` says that the tests start nodes of their own, for which a server at $AMQP_URL is of no use;
 * `installed`, that they start clusters, which takes the server package.
 */
export function describeRabbit(title: string, body: (this: Mocha.Suite) => void, needs: { own?: boolean; installed?: boolean } = {}): void {
  const isOwn = needs.own === true || needs.installed === true
  const isThere = needs.installed === true ? isRabbitInstalled : found.server !== undefined || (found.url !== undefined && !isOwn)
  if (isThere) {
    describe(title, body)
    return
  }
  const why = found.missing ?? 'these tests start RabbitMQ servers of their own, from the installed package, and it is not there'
  if (process.env['CI'] !== undefined && found.missing !== undefined) {
    describe(title, () => it('finds a RabbitMQ server', () => Promise.reject(new Error(why))))
    return
  }
  process.stderr.write(`left out: ${title}: ${why}\n`)
}

/**
 * As docs/rabbitmq.md advises: a delayed message whose way on was not confirmed when a server went down stands still for this long, by
 * default for three minutes.
 */
export const ADVISED_SETTINGS = '[{rabbit,[{dead_letter_worker_publisher_confirm_timeout,5000}]}].'

/** A new node, set up as is advised, for one test that kills or reconfigures it. The caller disposes of it. */
export async function startRabbitNode(options: NodeOptions = {}): Promise<RabbitNode> {
  const server = found.server
  if (server === undefined) throw new Error(found.missing ?? 'no server from which a node could be started')
  return server.kind === 'docker' ? startDockerNode() : startInstalledNode(server, { advanced: ADVISED_SETTINGS, ...options })
}

/** The scripts from which servers can be started here. @throws Error where there are none */
export function installedScripts(): RabbitScripts {
  const server = found.server
  if (server?.kind === 'installed') return server
  throw new Error(found.missing ?? 'a cluster is started from the installed server package, and there is none')
}

/** Whether {@link installedScripts} answers. */
export const isRabbitInstalled: boolean = found.server?.kind === 'installed'

/** Its version, where that is known. */
export const installedVersion: string | undefined = found.server?.kind === 'installed' ? found.server.version : undefined

let shared: Promise<RabbitNode> | undefined

/**
 * The one node of this test run, started by the first who asks and ended with the run. Give every test a namespace of its own
 * ({@link freshNamespace}); never stop or reconfigure this node.
 */
export function sharedRabbitNode(): Promise<RabbitNode> {
  shared ??= found.url === undefined ? startRabbitNode() : Promise.resolve(givenNode(found.url))
  return shared
}

/** Whether the server is known to be of 4.3 or newer, which keeps priorities and counts differently. */
export const isRecentRabbit: boolean =
  found.server?.kind === 'installed' && /^(4\.([3-9]|\d\d)|[5-9])/.test(found.server.version ?? '')

/** A namespace nobody else has: its queues are those of one test. */
export const freshNamespace = (): string => `t${randomUUID().slice(0, 8)}`

if (typeof after === 'function') {
  after('end the shared RabbitMQ node', async () => {
    const node = await shared?.catch(() => undefined)
    shared = undefined
    await node?.[Symbol.asyncDispose]()
  })
}

async function findServer(): Promise<Found> {
  const run = promisify(execFile)(process.execPath, ['scripts/rabbitmq.mjs', '--json'], { cwd: ROOT })
  const { stdout } = await run.catch((error: unknown) => {
    // a failed run of execFile carries what the program printed
    return { stdout: (error as { stdout?: string }).stdout ?? '' }
  })
  if (stdout.trim() === '') return { missing: 'scripts/rabbitmq.mjs did not say what it found' }
  // the script prints this form
  return JSON.parse(stdout) as Found
}

function givenNode(url: string): RabbitNode {
  const refuse = (): Promise<never> => Promise.reject(new Error('the server at $AMQP_URL is not ours to control'))
  return { url, pid: 0, kill9: refuse, stop: refuse, restart: refuse, ctl: refuse, eval: refuse, [Symbol.asyncDispose]: async () => {} }
}
