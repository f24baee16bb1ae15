import { poison } from '../contract/poison.js'
import { rollOver } from '../contract/roll-over.js'

poison('the embedded queue', async () => ({}))
rollOver('the embedded queue', async () => ({}))
