import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../config/config.js'

/** What makes a set of workers distinct on one host. */
export type ServiceIdentity = Pick<Config, 'service' | 'environment' | 'dataDir'>

/**
 * Where the leader of a service listens: on Linux an abstract socket and on Windows a named pipe, which vanish with their process;
 * elsewhere a file in the folder for temporary files, since paths of sockets must be short.
 */
export function leaderAddress({ service, environment, dataDir }: ServiceIdentity, platform: NodeJS.Platform = process.platform): string {
  const name = `errand-${createHash('sha256').update(JSON.stringify([service, environment, dataDir])).digest('hex').slice(0, 32)}`
  if (platform === 'linux') return `\0${name}`
  return platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
}

/** Whether the address is a file, which outlives a killed process. */
export const isFileAddress = (address: string): boolean => !address.startsWith('\0') && !address.startsWith('\\\\')
