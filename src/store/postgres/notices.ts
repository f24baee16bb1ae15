import type { Client } from './client.js'

/** Bytes of a notice; the server takes 8000. */
const LARGEST_NOTICE = 7_000

/**
 * Tells watchers of tasks, behind the commit that changed them and not within it: a commit that notifies holds a lock of the whole
 * server until it is on the disk, so that all processes would commit one after the other. Never rejects: who watches looks by itself too.
 */
export async function notify(client: Client, channel: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await client.again('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [channel, noticesOf(ids)]).catch(() => undefined)
}

/** Ids with spaces between them, as many in each text as a notice may hold. */
function noticesOf(ids: readonly string[]): string[] {
  const notices = ['']
  for (const id of ids) {
    const last = notices.at(-1) ?? ''
    if (last.length + id.length < LARGEST_NOTICE) notices[notices.length - 1] = last === '' ? id : `${last} ${id}`
    else notices.push(id)
  }
  return notices
}
