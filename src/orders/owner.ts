import type { Context } from '../core/context.js'

/** The id of the user of a context, whole; `undefined` where there is none. */
export function ownerOf(context: Context): string | undefined {
  const user: unknown = context.user
  if (typeof user !== 'object' || user === null) return undefined
  const id: unknown = Reflect.get(user, 'id')
  return (typeof id === 'string' && id !== '') || typeof id === 'number' ? String(id) : undefined
}
