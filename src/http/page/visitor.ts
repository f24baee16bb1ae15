import { createHash, randomBytes } from 'node:crypto'
import { context } from '../../core/context.js'
import { generateKey, parseKeyRing } from '../../core/seal/key-ring.js'
import { createSigner, type Signer } from '../../core/seal/signer.js'
import { processState } from '../../core/process-state.js'
import { appState } from '../../runtime/app.js'
import { userId } from '../../runtime/failures.js'
import { tenantOf } from '../../runtime/tracking/announcement.js'
import type { TaskStatus } from '../../runtime/tracking/status.js'
import type { HttpExchange } from '../handler.js'
import { readCookie, serializeCookie } from './cookies.js'

/** Who asks: a user, or somebody who is not signed in and known by a cookie. */
export interface Asker {
  readonly owner: string | undefined
  readonly tenant: string | undefined
  /** Tag of the processes that this browser started without a user. */
  readonly visitorTag: string | undefined
}

const COOKIE = 'errand_visitor'
const PURPOSE = 'visitor'
const VISITOR_BYTES = 16
/** A path that is one attribute of a cookie and nothing else. */
const PATH = /^\/[\w./~%!$&'()*+,=:@-]{1,400}$/
/** As long as results are kept by default, and their failures longer than anybody without a name will look. */
const MAX_AGE_SECONDS = 7 * 24 * 60 * 60

/** Who makes the request that is handled now. */
export function askerOf({ request }: HttpExchange): Asker {
  const asking = context()
  const signed = readCookie(request.headers.get('cookie'), COOKIE)
  const visitor = signed === undefined ? undefined : signer().verify(signed, PURPOSE)
  return { owner: userId(asking) || undefined, tenant: tenantOf(asking), visitorTag: visitor === undefined ? undefined : tagOf(visitor) }
}

/** Makes somebody known who is not signed in: the tag of what they start, and the cookie by which they are known again. */
export function newVisitor({ request, mount }: HttpExchange): { readonly visitorTag: string; readonly cookie: string } {
  const visitor = randomBytes(VISITOR_BYTES).toString('base64url')
  const isHttps = new URL(request.url).protocol === 'https:'
  const cookie = { name: COOKIE, value: signer().sign(visitor, PURPOSE), path: PATH.test(mount) ? mount : '/', maxAgeSeconds: MAX_AGE_SECONDS }
  return { visitorTag: tagOf(visitor), cookie: serializeCookie(cookie, isHttps) }
}

/** The id of a process with a signature: who has it may see the process. */
export const signedId = (id: string): string => signer().sign(id, 'process')

/** The id in one that {@link signedId} made. */
export const idOfSigned = (signed: string): string | undefined => signer().verify(signed, 'process')

/** Whether a process belongs to who asks. */
export function isOwn({ owner, tenant, tags }: Pick<TaskStatus, 'owner' | 'tenant' | 'tags'>, asker: Asker): boolean {
  if (owner !== undefined) return owner === asker.owner && tenant === asker.tenant
  return asker.visitorTag !== undefined && tags.includes(asker.visitorTag)
}

/** The tag is seen by whoever sees tasks, so it does not give the visitor away. */
const tagOf = (visitor: string): string => `visitor:${createHash('sha256').update(visitor).digest('base64url')}`

/** The signer of the application; of a process that only runs bodies itself, one of its own. */
function signer(): Signer {
  const state = appState()
  return (state.kind === 'on' ? state.runtime.signer : undefined) ?? ownSigner()
}

const ownSigner = (): Signer => processState('signer', () => createSigner(parseKeyRing([generateKey()]), { app: '', env: '' }))
