import { createHash } from 'node:crypto'
import { ErrandError } from '../../errors.js'
import { context } from '../../core/context.js'
import { processState } from '../../core/process-state.js'
import { appState, settledAppState } from '../../runtime/app.js'
import { newId } from '../../core/clock.js'
import { enqueueOnce } from '../../runtime/background.js'
import { resolveOnce } from '../../runtime/keys/once.js'
import type { TaskHandle } from '../../runtime/handle.js'
import { tasks } from '../../runtime/tasks.js'
import type { TaskStatus } from '../../runtime/tracking/status.js'
import type { HttpExchange } from '../handler.js'
import type { ResolvedView } from './view.js'
import { askerOf, idOfSigned, isOwn, newVisitor, signedId, type Asker } from './visitor.js'

/** A process that who asks may see. */
export interface Process {
  /** As it stands in addresses: with a signature where its starter is known by that. */
  readonly id: string
  readonly handle: TaskHandle<unknown>
  readonly status: TaskStatus
  /** Whether it is their own, and not just seen by an admin. */
  readonly isOwn: boolean
}

/** A process that was started. */
export interface Started {
  readonly id: string
  /** What makes its starter known again, where they are not signed in. */
  readonly cookie: string | undefined
}

/** As many as a call may have. */
const MOST_TAGS = 50

const PROCESS_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Sends the task as who asks; `large` where its arguments do not fit into a message. @throws what sending fails with */
export async function startProcess(view: ResolvedView, exchange: HttpExchange, args: readonly unknown[]): Promise<Started | 'large'> {
  await refuseWithoutStore(view)
  const asker = askerOf(exchange)
  const byLink = asker.owner === undefined && view.given.anonymous === 'link'
  const visitor = asker.owner === undefined && asker.visitorTag === undefined && !byLink ? newVisitor(exchange) : undefined
  const visitorTag = asker.owner === undefined && !byLink ? (visitor?.visitorTag ?? asker.visitorTag) : undefined
  const tags = [...(visitorTag === undefined ? [] : [visitorTag]), ...view.task.declaration.options.tags].slice(0, MOST_TAGS)
  const key = keyOf(view, exchange, [asker.owner ?? visitorTag, asker.tenant])
  try {
    // it stands in addresses: an id of random bits, which tells no time
    const handle = await enqueueOnce(() => view.call(args), { id: newId(), tags, once: resolveOnce('a waiting page', { key, join: undefined }) })
    if (appState().kind === 'off') keepHere(handle, { task: view.task.name, owner: asker.owner, tenant: asker.tenant, tags })
    return { id: byLink ? signedId(handle.id) : handle.id, cookie: visitor?.cookie }
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'PAYLOAD_TOO_LARGE') return 'large'
    throw error
  }
}

/** The process with that id, if it is one of this view and who asks may see it. @throws ErrandError `STORE_UNREACHABLE` */
export async function findProcess(view: ResolvedView, exchange: HttpExchange, given: string): Promise<Process | undefined> {
  const signed = view.given.anonymous === 'link' ? idOfSigned(given) : undefined
  const id = signed ?? given
  if (!PROCESS_ID.test(id)) return undefined
  const here = runningHere().get(id)
  const handle = here?.handle ?? tasks.get(id)
  const status = { ...(await handle.status()), ...here?.facts, id: given }
  if (status.state === 'unknown' || !isOfView(view, status.task)) return undefined
  const isTheirs = status.owner === undefined && signed !== undefined
  if (isTheirs || isOwn(status, askerOf(exchange))) return { id: given, handle, status, isOwn: true }
  return view.given.isAdmin?.(context()) === true ? { id: given, handle, status, isOwn: false } : undefined
}

/** Nobody could be shown how a process stands. */
async function refuseWithoutStore({ task }: ResolvedView): Promise<void> {
  const state = await settledAppState()
  if (state.kind !== 'on' || state.runtime.tracking !== undefined) return
  throw new ErrandError(
    'CALL_INVALID',
    `A waiting page cannot start ${task.name}: "store: off" keeps nothing of it. Configure "store: sqlite" or a PostgreSQL URL.`,
  )
}

/** A key stands for the work of one person: nobody joins that of somebody else. */
function keyOf({ given, task }: ResolvedView, exchange: HttpExchange, [starter, tenant]: readonly (string | undefined)[]): string | undefined {
  const key = given.key?.(exchange)
  if (key === undefined || starter === undefined) return undefined
  // of one length, since addresses may be long
  return `page:${createHash('sha256').update(JSON.stringify([task.name, starter, tenant ?? null, key])).digest('base64url')}`
}

const isOfView = ({ task }: ResolvedView, name: string | undefined): boolean =>
  name !== undefined && [task.name, ...task.declaration.options.aliases].includes(name)

type Facts = Pick<TaskStatus, 'task' | 'tags'> & Pick<Asker, 'owner' | 'tenant'>

interface Here {
  readonly handle: TaskHandle<unknown>
  readonly facts: Facts
}

/** With `withAsync: false` nothing else knows of the bodies that run here. */
const runningHere = (): Map<string, Here> => processState('processes of waiting pages', () => new Map<string, Here>())

/** More than anybody starts while trying an application out. */
const MOST_HERE = 1000

function keepHere(handle: TaskHandle<unknown>, facts: Facts): void {
  const here = runningHere()
  here.set(handle.id, { handle, facts })
  for (const id of here.keys()) {
    if (here.size <= MOST_HERE) break
    here.delete(id)
  }
}
