import { ErrandError } from '../errors.js'
import type { Context } from '../core/context.js'

/** Clocks of two machines differ; a token that expired this short ago is still accepted. */
const LEEWAY_SECONDS = 300

/**
 * Refuses to run for a caller whose bearer token has expired (`exp` of RFC 7519). The signature was checked by the server, and the
 * seal of the message protects what it saw. Tokens that are no JWT, and JWTs without `exp`, pass.
 * @throws ErrandError `TOKEN_EXPIRED`
 */
export function refuseExpiredToken(task: string, context: Context | undefined, nowMs: number): void {
  const expiresAt = expiryOf(context?.headers['authorization'])
  if (expiresAt === undefined || nowMs / 1000 <= expiresAt + LEEWAY_SECONDS) return
  throw new ErrandError(
    'TOKEN_EXPIRED',
    `Cannot run ${task}: the token of its caller had expired before it began. Sign in and call again, or set "reverify: false" to trust the user as verified at the call.`,
  )
}

function expiryOf(authorization: string | undefined): number | undefined {
  const payload = /^Bearer\s+[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(authorization ?? '')?.[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const exp: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'exp') : undefined
    return typeof exp === 'number' && Number.isFinite(exp) ? exp : undefined
  } catch {
    return undefined
  }
}
