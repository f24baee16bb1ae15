/** Parts of the address that a request was sent to, as its framework determined them. */
export interface UrlParts {
  /** `http` or `https`. */
  readonly protocol: string
  /** Host and port as the client named them; not trusted. */
  readonly host: string | undefined
  /** The request target, as in the request line. */
  readonly target: string | undefined
  /** Where the socket listens; stands in for a host that is missing or no host at all. */
  readonly socket: { readonly localAddress?: string | undefined; readonly localPort?: number | undefined }
}

/** A name, an IPv4 or a bracketed IPv6 address, with or without a port; a name has 253 characters at most. */
const HOST = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** The scheme and authority of a target in absolute form, which a proxy may send. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/** The absolute URL of a request with its query; the host of the request is used only when it can be one. */
export function absoluteUrl({ protocol, host, target = '/', socket }: UrlParts): string {
  const authority = host !== undefined && HOST.test(host) ? host : listeningAt(socket)
  const path = localTarget(target)
  return `${protocol === 'https' ? 'https' : 'http'}://${authority}${path.startsWith('/') ? '' : '/'}${path}`
}

/** A request target without the scheme and authority that a proxy may send. */
export const localTarget = (target: string): string => (target.startsWith('/') ? target : target.replace(ORIGIN, ''))

function listeningAt({ localAddress, localPort }: UrlParts['socket']): string {
  if (localAddress === undefined) return 'localhost'
  const address = localAddress.includes(':') ? `[${localAddress}]` : localAddress
  return localPort === undefined ? address : `${address}:${localPort}`
}
