import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A key and its certificate, as names of files in PEM form. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority that signs certificates, as names of files in PEM form. */
export interface Authority extends Certificate {
  /** A certificate for a server of this name, or a client. `names` are subject alternative names such as `IP:127.0.0.1`. */
  sign(name: string, names?: string): Certificate
}

/** Makes an authority of its own in `folder`, with the `openssl` of the machine. */
export function makeAuthority(folder: string, name: string): Authority {
  const at = (file: string): string => join(folder, file)
  const own = { cert: at(`${name}.pem`), key: at(`${name}.key`) }
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', own.key, '-out', own.cert)
  return {
    ...own,
    sign(subject, names = `DNS:${subject}`) {
      const [cert, key, request, extensions] = [at(`${subject}.pem`), at(`${subject}.key`), at(`${subject}.csr`), at(`${subject}.ext`)]
      writeFileSync(extensions, `subjectAltName=${names}\n`)
      openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', key, '-out', request)
      const authority = ['-CA', own.cert, '-CAkey', own.key, '-CAcreateserial']
      openssl('x509', '-req', '-in', request, ...authority, '-days', '2', '-extfile', extensions, '-out', cert)
      return { cert, key }
    },
  }
}

function openssl(...args: readonly string[]): void {
  try {
    execFileSync('openssl', args, { stdio: 'pipe' })
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const why = isMissing ? 'the tests of TLS make certificates with the command openssl: install the package openssl' : 'openssl failed'
    throw new Error(why, { cause: error })
  }
}
