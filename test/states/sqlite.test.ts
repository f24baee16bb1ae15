import { statesEndToEnd } from '../contract/states-end-to-end.js'

statesEndToEnd('SQLite for both, in one file', async () => ({}))
