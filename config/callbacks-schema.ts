import { z } from 'zod'
import { readCallbackSecret } from '../src/core/seal/callback-secret.js'
import { CALLBACK_DEFAULTS } from './defaults.js'
import { duration, flag, key, listOf, whole } from './fields.js'

const HOST_PATTERN = /^(\*|(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:(\d{1,5}|\*))?$/i

/** A host that may be called, with a port or without. */
const hostPattern = () => {
  const error = `must be a host such as example.org, *.example.org or *, which may end in a port (:8443) or in :* for all ports`
  return z.string({ error }).regex(HOST_PATTERN, { error })
}

/** What signs callbacks. */
const callbackSecret = () => {
  const error = 'must be whsec_ and base64 of 24 to 64 bytes'
  return z.string({ error }).refine((given) => readCallbackSecret(given) !== undefined, { error })
}

/** The `callbacks` section. */
export const callbacks = z.strictObject(
  {
    hosts: key(
      listOf(hostPattern(), 'hosts'),
      'Hosts that may be called when an order has ended; *.example.org are those below it, * is any; the port is 443 unless one follows (:8443, :*).',
      'none',
    ),
    allowPrivate: key(
      flag(),
      'Whether addresses of this host and of private networks may be called, and http: URLs.',
      CALLBACK_DEFAULTS.allowPrivate,
    ),
    secret: key(
      callbackSecret(),
      'Signs what is sent: whsec_ and base64 of 24 to 64 bytes; best from the environment.',
      'derived from the sealing key, see errand key --callbacks',
    ),
    timeout: key(duration(), 'How long one call may take.', CALLBACK_DEFAULTS.timeout),
    retries: key(whole(0, 100), 'Further calls, with growing pauses, after one that was not accepted.', CALLBACK_DEFAULTS.retries),
  },
  { error: 'must be a section with keys such as hosts' },
)
