import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = new URL('../../../../bench/peers/', import.meta.url)

/** Why a peer of these packages cannot be used; `undefined` where it can. */
export function peerRefusal(packages: readonly string[]): string | undefined {
  const missing = packages.filter((name) => !existsSync(folderOf(name)))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}; use --peers`
}

/** The versions of these packages, as the report shows them. */
export const peerVersions = (packages: readonly string[]): readonly string[] => packages.map((name) => `${name} ${versionOf(name)}`)

/** Loads a package from the folder of the peers. The type is the part of it that the caller uses, and is not checked. */
export async function loadPeer<T>(name: string): Promise<T> {
  // load.mjs exports this, and the versions in bench/peers are fixed
  const folder = (await import(new URL('load.mjs', FOLDER).href)) as { load(name: string): Promise<T> }
  return folder.load(name)
}

const folderOf = (name: string): string => fileURLToPath(new URL(`node_modules/${name}`, FOLDER))

function versionOf(name: string): string {
  // every package.json has one
  const { version } = JSON.parse(readFileSync(join(folderOf(name), 'package.json'), 'utf8')) as { readonly version: string }
  return version
}
