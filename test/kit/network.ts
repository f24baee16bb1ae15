import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

/** Where one node lives. */
export interface Place {
  readonly netns: string
  readonly address: string
}

/** Network namespaces on one bridge, with addresses of their own that this machine reaches. */
export interface Network {
  readonly places: readonly Place[]
  /** Shell commands that take everything away again. */
  readonly undo: readonly string[]
  part(index: number): Promise<void>
  heal(index: number): Promise<void>
  cut(index: number): Promise<void>
  join(index: number): Promise<void>
  remove(): Promise<void>
}

/** Why networks cannot be laid here; `undefined` when they can. */
export function networkRefusal(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need Linux and root'
  const name = `errand${randomBytes(3).toString('hex')}`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' })
    execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `no network namespace can be made (${error instanceof Error ? error.message.trim() : 'unknown'})`
  }
}

/** Lays a network of `size` places under names and addresses that nobody uses. Needs root. */
export function layNetwork(size: number): Network {
  // the name of an interface has 15 characters at most
  const id = `er${randomBytes(3).toString('hex')}`
  const subnet = freeSubnet()
  const bridge = `${id}b`
  const places = Array.from({ length: size }, (_, index) => ({ netns: `${id}n${index + 1}`, address: `${subnet}.${index + 1}` }))
  const link = (index: number): string => `${id}v${index + 1}`
  const undo = undoing(places, bridge, link)
  try {
    ip('link', 'add', bridge, 'type', 'bridge')
    ip('addr', 'add', `${subnet}.254/24`, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
    for (const [index, { netns, address }] of places.entries()) {
      ip('netns', 'add', netns)
      ip('link', 'add', link(index), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns)
      ip('link', 'set', link(index), 'master', bridge, 'up')
      ip('-n', netns, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      for (const device of ['eth0', 'lo']) ip('-n', netns, 'link', 'set', device, 'up')
    }
  } catch (error) {
    execFileSync('sh', ['-c', undo.join('; ')], { stdio: 'ignore' })
    throw error
  }
  const routes = async (index: number, verb: 'add' | 'del'): Promise<void> => {
    const self = places[index]
    if (self === undefined) throw new Error(`there is no place ${index}`)
    const others = places.filter((place) => place !== self)
    // black holes: no byte comes through and nobody is told
    for (const other of others) {
      await ipLater('-n', other.netns, 'route', verb, 'blackhole', `${self.address}/32`)
      await ipLater('-n', self.netns, 'route', verb, 'blackhole', `${other.address}/32`)
    }
  }
  return {
    places,
    undo,
    part: (index) => routes(index, 'add'),
    heal: (index) => routes(index, 'del'),
    cut: (index) => ipLater('link', 'set', link(index), 'down'),
    join: (index) => ipLater('link', 'set', link(index), 'up'),
    remove: async () => void (await promisify(execFile)('sh', ['-c', undo.join('; ')])),
  }
}

function undoing(places: readonly Place[], bridge: string, link: (index: number) => string): readonly string[] {
  return [
    ...places.flatMap(({ netns }, index) => [`ip link del ${link(index)} 2>/dev/null`, `ip netns del ${netns} 2>/dev/null`]),
    `ip link del ${bridge} 2>/dev/null`,
    'true',
  ]
}

function freeSubnet(): string {
  const taken = new Set(Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address.split('.').slice(0, 3).join('.'))))
  // a network that is being laid at this moment has a route already, but perhaps no interface that is up
  const routes = readFileSync('/proc/net/route', 'utf8')
  for (;;) {
    const third = randomBytes(1).readUInt8(0)
    const subnet = `10.77.${third}`
    const asRoute = `00${third.toString(16).padStart(2, '0')}4D0A`.toUpperCase()
    if (!taken.has(subnet) && !routes.includes(asRoute)) return subnet
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

async function ipLater(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ip', [...args])
}
