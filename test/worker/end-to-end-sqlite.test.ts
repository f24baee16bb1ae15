import { newId } from '#src/core/clock.js'
import { endToEnd } from '../contract/end-to-end.js'

endToEnd('the embedded queue', {
  config: async () => ({}),
  put: (body, { broker }) => broker.publish({ id: newId(), queue: 'default', body }),
})
