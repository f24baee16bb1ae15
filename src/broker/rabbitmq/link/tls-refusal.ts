import { ErrandError } from '../../../errors.js'
import type { Host } from './options.js'

/** What the codes of failed TLS handshakes mean, in the names that Node and OpenSSL give them. */
const UNTRUSTED = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?)$/
const OUT_OF_TIME = /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/
const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'
const CLIENT_MISSING = /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/
const CLIENT_REFUSED = /^ERR_SSL_.*(ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN)|UNSUPPORTED_CERTIFICATE)$/

/** A handshake that fails because of a certificate, which no waiting repairs; `undefined` for any other failure. */
export function tlsRefusal(host: Host, error: unknown): ErrandError | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  const why = whyOf(error.code, error.message, host.hostname)
  if (why === undefined) return undefined
  return new ErrandError('BROKER_REFUSED', `Cannot connect to RabbitMQ at ${host.shown}: ${why}`, { cause: error })
}

function whyOf(code: string, text: string, hostname: string): string | undefined {
  if (UNTRUSTED.test(code)) {
    return `the certificate of the server is not trusted (${text}). Set tls.ca to the file of the authority that signed it.`
  }
  if (OUT_OF_TIME.test(code)) return `the certificate of the server is not valid now (${text}). Renew it, or correct the clock.`
  if (code === OTHER_NAME) {
    return `the certificate of the server is not for ${hostname} (${text.trim()}). Use a name of the certificate in the URL, or have it renewed.`
  }
  if (CLIENT_MISSING.test(code)) return 'the server asks for a certificate of the client. Set tls.cert and tls.key.'
  if (CLIENT_REFUSED.test(code)) return `the server does not accept the certificate of the client (${code}). Check tls.cert and tls.key.`
  return undefined
}
