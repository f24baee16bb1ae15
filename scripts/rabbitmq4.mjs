// Newer releases of RabbitMQ beside the installed one, each in a folder with a Debian of its own. Made on first use, from the mirror
// that apt uses already; about 400 MB each. They bring an Erlang that the installed system may be too old for.
//   node scripts/rabbitmq4.mjs     makes the folders and says what they hold
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './setup.mjs'

/** RabbitMQ 4.0 and 4.3; the second moves with its release, so its version is read and never assumed. */
const RELEASES = [
  { release: 'trixie', script: [] },
  { release: 'forky', script: ['/usr/share/debootstrap/scripts/sid'] },
]

const BIN = '/usr/lib/rabbitmq/bin'

/** The server in such a folder: `{ version, bin, root }`; undefined where there is none. */
export function serverIn(folder) {
  const lib = join(folder, '/usr/lib/rabbitmq/lib')
  const names = existsSync(lib) ? readdirSync(lib) : []
  const version = names.map((name) => /^rabbitmq_server-(.+)$/.exec(name)?.[1]).find((found) => found !== undefined)
  return version === undefined ? undefined : { version, bin: BIN, root: folder }
}

/** The releases that are there, or could be made: `{ version, bin, root }`. What cannot be made is said and left out. */
export function otherVersions({ say = () => {} } = {}) {
  return RELEASES.flatMap(({ release, script }) => {
    const folder = join(root, '.cache', `rabbitmq-${release}`)
    if (!existsSync(join(folder, BIN))) {
      const refusal = make(release, folder, script, say)
      if (refusal !== undefined) {
        say(`no RabbitMQ of ${release}: ${refusal}`)
        return []
      }
    }
    return serverIn(folder) ?? []
  })
}

function make(release, folder, script, say) {
  if (process.getuid?.() !== 0) return 'only root can make its folder'
  if (spawnSync('debootstrap', ['--version']).status !== 0) {
    const install = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'debootstrap'], { encoding: 'utf8' })
    if (install.status !== 0) return 'debootstrap is not there and apt-get cannot install it'
  }
  const mirror = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' })
    .split('\n')
    .find((site) => site !== '' && !site.includes('security'))
  if (mirror === undefined) return 'apt names no mirror'
  say(`debootstrap ${release}: about 400 MB, a minute`)
  const half = `${folder}.part`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true })
  const run = spawnSync('debootstrap', ['--variant=minbase', '--include=rabbitmq-server', release, half, mirror, ...script], { encoding: 'utf8' })
  if (run.status !== 0) return `debootstrap failed: ${run.stdout.trim().split('\n').at(-1)}`
  renameSync(half, folder)
  return undefined
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { version, root: folder } of otherVersions({ say: console.log })) console.log(`RabbitMQ ${version} in ${folder}`)
}
