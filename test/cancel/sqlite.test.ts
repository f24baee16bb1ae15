import { cancelEndToEnd } from '../contract/cancel-end-to-end.js'

cancelEndToEnd('SQLite for both, in one file', async () => ({}))
