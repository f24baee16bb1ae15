import { deadLetterSuite } from '../contract/dead-letters.js'

deadLetterSuite('the embedded queue', async () => ({}))
