import { existsSync, readFileSync } from 'node:fs'

const PEERS = new URL('../../../../bench/peers/', import.meta.url)
/** What needs a newer Node stands in a folder of its own: npm installs all of a folder or nothing. */
const FOLDERS = [PEERS, new URL('node22/', PEERS)]

/** Why a peer of these packages cannot be used; `undefined` where it can. */
export function peerRefusal(packages: readonly string[]): string | undefined {
  const missing = packages.filter((name) => folderOf(name) === undefined)
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}; use --peers`
}

/** The versions of these packages, as the report shows them. */
export const peerVersions = (packages: readonly string[]): readonly string[] => packages.map((name) => `${name} ${versionOf(name)}`)

/** Loads a package from the folder of the peers. The type is the part of it that the caller uses, and is not checked. */
export async function loadPeer<T>(name: string): Promise<T> {
  // load.mjs exports this, and the versions in bench/peers are fixed
  const folder = (await import(new URL('load.mjs', folderOf(name) ?? PEERS).href)) as { load(name: string): Promise<T> }
  return folder.load(name)
}

/** The one of the folders where it is installed. */
const folderOf = (name: string): URL | undefined => FOLDERS.find((folder) => existsSync(new URL(`node_modules/${name}`, folder)))

function versionOf(name: string): string {
  const file = new URL(`node_modules/${name}/package.json`, folderOf(name) ?? PEERS)
  // every package.json has one
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
  return version
}
