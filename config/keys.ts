import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey, parseKeyRing } from '../src/core/seal/key-ring.js'
import { ErrandError } from '../src/errors.js'
import type { Config } from './config.js'
import { maskUrl } from './secrets.js'

/** Others of the machine may not read the key, nor what lies beside it. */
const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700
const ANYONE_ELSE = 0o077

const EXPLANATION = '# Sealing keys of this application, one per line; the first one seals. Keep it secret.'

/**
 * The sealing keys, the first of which seals: those of the configuration, else those of the key file in `dataDir`, which is
 * made when it is not there. All processes of one host get the same keys, also when they start at the same moment.
 * @throws ErrandError `KEY_MISSING` when the broker is on another host and no key is configured; `KEY_INVALID` when the key
 *   file cannot be used
 */
export async function loadKeys(config: Config): Promise<readonly string[]> {
  if (config.keys.length > 0) return config.keys
  refuseRemoteBroker(config)
  const file = keyFile(config)
  return readKeyFile(file) ?? createKeyFile(config, file)
}

/** Where the keys of this host lie when the configuration has none. */
export const keyFile = (config: Config): string => join(config.dataDir, 'key')

/**
 * Puts a new key in front of those in the key file, which stay to open what they sealed.
 * @returns how many keys the file holds now
 */
export function rotateKeyFile(config: Config): number {
  const file = keyFile(config)
  const keys = [generateKey(), ...(readKeyFile(file) ?? [])]
  const prepared = prepare(config, file, keys)
  renameSync(prepared, file)
  return keys.length
}

function refuseRemoteBroker({ broker }: Config): void {
  if (broker.kind !== 'rabbitmq') return
  const remote = broker.urls.find((url) => !isLoopback(url))
  if (remote === undefined) return
  throw new ErrandError(
    'KEY_MISSING',
    `No sealing key is configured, and the broker ${maskUrl(remote)} may be shared with other hosts, which need the same one. ` +
      'Run `errand key`, put what it prints into the environment variable ERRAND_KEY of every process, ' +
      'and set `key: ${ERRAND_KEY}` in async.config.yaml.',
  )
}

function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { hostname } = new URL(url)
  return hostname === '' || hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function readKeyFile(file: string): readonly string[] | undefined {
  let text: string
  try {
    refuseOpenFile(file)
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof ErrandError) throw cause
    if (codeOf(cause) === 'ENOENT') return undefined
    throw new ErrandError(
      'KEY_INVALID',
      `Cannot read the key file ${file}. Check who owns it, or set the key in async.config.yaml.`,
      { cause },
    )
  }
  const keys = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (keys.length === 0) {
    throw new ErrandError(
      'KEY_INVALID',
      `The key file ${file} holds no key. Put the key back, or remove the file to have a new one made.`,
    )
  }
  try {
    parseKeyRing(keys)
  } catch (cause) {
    throw new ErrandError(
      'KEY_INVALID',
      `The key file ${file} holds a line that is no key as \`errand key\` prints it. Correct or remove that line.`,
      { cause },
    )
  }
  return keys
}

function refuseOpenFile(file: string): void {
  // Windows has no such mode; there the folder of the user protects the file
  const others = process.platform === 'win32' ? 0 : statSync(file).mode & ANYONE_ELSE
  if (others === 0) return
  throw new ErrandError('KEY_INVALID', `The key file ${file} can be read by others on this machine. Run: chmod 600 ${file}`)
}

function createKeyFile(config: Config, file: string): readonly string[] {
  try {
    const prepared = prepare(config, file, [generateKey()])
    try {
      // a link appears whole or not at all, and never replaces what another process put there a moment ago
      linkSync(prepared, file)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    } finally {
      rmSync(prepared, { force: true })
    }
  } catch (cause) {
    throw new ErrandError(
      'KEY_INVALID',
      `Cannot make the key file ${file}. Make its folder writable, or set the key in async.config.yaml (see \`errand key\`).`,
      { cause },
    )
  }
  return readKeyFile(file) ?? createKeyFile(config, file)
}

function prepare(config: Config, file: string, keys: readonly string[]): string {
  mkdirSync(config.dataDir, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const prepared = `${file}.${randomUUID()}`
  writeFileSync(prepared, `${[EXPLANATION, ...keys].join('\n')}\n`, { mode: OWNER_ONLY_FILE, flag: 'wx' })
  return prepared
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
