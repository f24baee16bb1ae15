import { limitsEndToEnd } from '../contract/limits-end-to-end.js'

limitsEndToEnd('the embedded queue', async () => ({}))
