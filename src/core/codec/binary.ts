import { types } from 'node:util'
import { kindOf } from './kind.js'

/** The views over bytes that JavaScript has, by name; one that this version of Node lacks is left out. */
const VIEW_NAMES = (
  'Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array ' +
  'Float16Array Float32Array Float64Array BigInt64Array BigUint64Array DataView'
).split(' ')

type ViewClass = new (buffer: ArrayBuffer) => ArrayBufferView

const viewClasses: ReadonlyMap<unknown, ViewClass> = new Map(
  VIEW_NAMES.filter((name) => Object.hasOwn(globalThis, name))
    // every name of the list is a class of views over an ArrayBuffer
    .map((name) => [name, Reflect.get(globalThis, name) as ViewClass]),
)

/**
 * Name and bytes of a Buffer, view or ArrayBuffer; `undefined` for everything else, also for subclasses and for memory that
 * is shared or can grow. A view travels as its own bytes: two views of one buffer arrive as two buffers, and fields that were
 * added to a view stay behind as in a structured clone. The bytes are in the order of the machine, which is little-endian
 * nearly everywhere.
 */
export function bytesOf(value: object): { readonly name: string; readonly base64: string } | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    if (prototype === Buffer.prototype) return { name: 'Buffer', base64: bytes }
    const name = kindOf(value)
    return prototype === viewClasses.get(name)?.prototype ? { name, base64: bytes } : undefined
  }
  if (!types.isArrayBuffer(value) || prototype !== ArrayBuffer.prototype) return undefined
  if (Reflect.get(value, 'resizable') === true) return undefined
  return { name: 'ArrayBuffer', base64: Buffer.from(value).toString('base64') }
}

/** What {@link bytesOf} described, or `undefined` when name and text do not describe anything. */
export function fromBytes(name: string, base64: string): object | undefined {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined
  const bytes = Buffer.from(base64, 'base64')
  if (name === 'Buffer') return bytes
  // a copy: Buffer may hand out a part of a larger pool, and views need their alignment
  const memory = new Uint8Array(bytes).buffer
  if (name === 'ArrayBuffer') return memory
  const View = viewClasses.get(name)
  if (View === undefined) return undefined
  const size = Number(Reflect.get(View, 'BYTES_PER_ELEMENT') ?? 1)
  return memory.byteLength % size === 0 ? new View(memory) : undefined
}
