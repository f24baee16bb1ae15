import { eachScope } from '../kit/temporary.js'
import { itKeepsTenThousandCallsApart } from './mixed-calls.js'

describe('the embedded queue, from call to body', () => {
  itKeepsTenThousandCallsApart(eachScope(), () => ({}))
})
