import { expect } from 'chai'
import { array, assert, bigInt, integer, oneof, property, string, tuple } from 'fast-check'
import { isCallable } from '#src/orders/callback/address.js'

const dotted = (value: number): string => [24, 16, 8, 0].map((bits) => (value >>> bits) & 0xff).join('.')
/** Every address, and often one near a border. */
const word = () => oneof(integer({ min: 0, max: 0xffffffff }), tuple(integer({ min: 0, max: 255 }), integer({ min: -2, max: 2 })).map(([net, near]) => (net * 2 ** 24 + near + 2 ** 32) % 2 ** 32))

/** Written down anew, network by network: value of the network, and how many bits. */
const PRIVATE: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 3],
]
const valueOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const isPrivate = (value: number): boolean => PRIVATE.some(([network, bits]) => Math.floor(value / 2 ** (32 - bits)) === Math.floor(valueOf(network) / 2 ** (32 - bits)))

const groups = (value: bigint): string => Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(':')

describe('the addresses that a callback may go to', () => {
  it('are those of IPv4 that lie in no private or special network', () => {
    assert(property(word(), (value) => isCallable(dotted(value), false) === !isPrivate(value)), { numRuns: 3_000 })
  })

  it('are the same when an IPv6 address holds them, whichever way it is written', () => {
    const prefixes = ['::ffff:', '0:0:0:0:0:ffff:', '::FFFF:', '64:ff9b::', '0064:ff9b:0:0:0:0:']
    assert(
      property(word(), integer({ min: 0, max: prefixes.length - 1 }), (value, which) => {
        const [high, low] = [(value >>> 16).toString(16), (value & 0xffff).toString(16)]
        const expected = isCallable(dotted(value), false)
        const forms = [`${prefixes[which]}${dotted(value)}`, `${prefixes[which]}${high}:${low}`]
        return forms.every((form) => isCallable(form, false) === expected)
      }),
      { numRuns: 1_000 },
    )
  })

  it('are of IPv6 only those of 2000::/3, without tunnels and documents', () => {
    const whole = bigInt({ min: 0n, max: 2n ** 128n - 1n })
    const inside = (value: bigint, network: bigint, bits: number) => value >> BigInt(128 - bits) === network >> BigInt(128 - bits)
    const at = (text: string, shift: number): bigint => BigInt(`0x${text}`) << BigInt(shift)
    const special: readonly (readonly [bigint, number])[] = [[at('2001', 112), 23], [at('20010db8', 96), 32], [at('2002', 112), 16], [at('3fff', 112), 20]]
    assert(
      property(oneof(whole, whole.map((value) => (value >> 3n) | (1n << 125n)), whole.map((value) => (value >> 32n) | at('2001', 112))), (value) => {
        const translated = [at('ffff', 32), at('64ff9b', 96)].some((prefix) => inside(value, prefix, 96))
        if (translated) return true
        const expected = inside(value, 1n << 125n, 3) && !special.some(([network, bits]) => inside(value, network, bits))
        return isCallable(groups(value), false) === expected
      }),
      { numRuns: 3_000 },
    )
  })

  it('are none of the well-known ones that lead inwards', () => {
    const inwards = [
      '127.0.0.1', '127.255.255.254', '0.0.0.0', '10.1.2.3', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '100.127.255.255', '224.0.0.1',
      '255.255.255.255', '::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1',
      'fd00:ec2::254', 'ff02::1', '2001::1', '2002:7f00:1::', '2001:db8::1', '100::1',
    ]
    expect(inwards.filter((address) => isCallable(address, false))).to.deep.equal([])
    expect(['1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '2606:4700::1111', '64:ff9b::101:101'].filter((address) => !isCallable(address, false))).to.deep.equal([])
  })

  it('with private ones allowed are still none where nobody receives anything, or clouds keep credentials', () => {
    const never = ['0.0.0.0', '::', '169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', 'fd00:ec2::254', 'fe80::1', '224.0.0.1', 'ff02::1', '255.255.255.255']
    expect(never.filter((address) => isCallable(address, true))).to.deep.equal([])
    expect(['127.0.0.1', '::1', '10.0.0.1', '192.168.1.1', 'fd00::1', '::ffff:10.0.0.1'].filter((address) => !isCallable(address, true))).to.deep.equal([])
  })

  it('are nothing that is no address', () => {
    assert(property(oneof(string(), array(integer()).map((list) => list.join('.'))), (text) => !isCallable(text, true) || /^[\d.a-f:]+$/i.test(text)))
    expect(['2130706433', '0x7f.1', '0177.0.0.1', '127.1', 'localhost', ''].filter((text) => isCallable(text, true))).to.deep.equal([])
  })
})
