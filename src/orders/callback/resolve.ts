import { lookup, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { isCallable } from './address.js'
import { hostOf, notPublic } from './callback-url.js'

/** Finds the addresses of a name; `dns.lookup` of Node, but in tests. */
export type FindAddresses = (host: string) => Promise<readonly LookupAddress[]>

/**
 * The addresses of the host of `url`, all of which may be called: a name that also leads into a private network is refused whole. Connect
 * to these and to no others, since whoever owns the name may answer something else the next time.
 * @throws ErrandError `CALLBACK_REFUSED`; what the resolver fails with
 */
export async function resolveChecked(url: URL, allowPrivate: boolean, find: FindAddresses = findAddresses): Promise<readonly LookupAddress[]> {
  const host = hostOf(url)
  const family = isIP(host)
  const addresses = family === 0 ? await find(host) : [{ address: host, family }]
  if (addresses.length === 0 || !addresses.every(({ address }) => isCallable(address, allowPrivate))) throw notPublic(url)
  return addresses
}

const findAddresses: FindAddresses = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)))
  })
