import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = new URL('../../../../bench/peers/', import.meta.url)

/** Why the package of a peer cannot be used; `undefined` where it can. */
export const peerRefusal = (name: string): string | undefined =>
  existsSync(fileURLToPath(new URL(`node_modules/${name}`, FOLDER))) ? undefined : `${name} is not installed; use --peers`

/** Loads a package from the folder of the peers. The type is the part of it that the caller uses, and is not checked. */
export async function loadPeer<T>(name: string): Promise<T> {
  // load.mjs exports this, and the versions in bench/peers are fixed
  const folder = (await import(new URL('load.mjs', FOLDER).href)) as { load(name: string): Promise<T> }
  return folder.load(name)
}
