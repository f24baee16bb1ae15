import { BlockList, isIP, isIPv4 } from 'node:net'

/** Networks in which nobody on the internet has an address (IANA special-purpose registries, multicast, former class E). */
const PRIVATE_4 = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
]
/** All of IPv6 but 2000::/3, and of that what is for tunnels, benchmarks and documents. */
const PRIVATE_6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** Where no receiver can be, and where clouds hand their credentials to whoever asks; refused even where private addresses are allowed. */
const NEVER_4 = ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4']
const NEVER_6 = ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::254/128']

/** IPv4 addresses inside IPv6: as systems write them, and as gateways translate them. Then the inner address decides. */
const MAPPED = [0, 0, 0, 0, 0, 0xffff]
const TRANSLATED = [0x64, 0xff9b, 0, 0, 0, 0]

const isPrivate = listed(PRIVATE_4, PRIVATE_6)
const isNever = listed(NEVER_4, NEVER_6)

/** Whether a callback may go to `address`, an IPv4 or IPv6 address as a resolver answers it. */
export function isCallable(address: string, allowPrivate: boolean): boolean {
  const inner = innerAddress(address)
  return inner !== undefined && !isNever(inner) && (allowPrivate || !isPrivate(inner))
}

/** The address that is meant; `undefined` for what is none, such as one with the name of an interface. */
function innerAddress(address: string): string | undefined {
  if (isIP(address) === 0 || address.includes('%')) return undefined
  if (isIPv4(address)) return address
  const groups = groupsOf(address)
  const [high = 0, low = 0] = groups.slice(6)
  const isInside = [MAPPED, TRANSLATED].some((prefix) => prefix.every((group, index) => groups[index] === group))
  return isInside ? [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.') : address
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  // the parser of URLs writes the last 32 bits in hexadecimal
  const hex = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = hex.split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = (tail ?? '').split(':').filter((group) => group !== '')
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
}

function listed(networks4: readonly string[], networks6: readonly string[]): (address: string) => boolean {
  const four = blockList(networks4, 'ipv4')
  const six = blockList(networks6, 'ipv6')
  return (address) => (isIPv4(address) ? four.check(address, 'ipv4') : six.check(address, 'ipv6'))
}

function blockList(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}
