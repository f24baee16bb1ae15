import { compositionEndToEnd } from '../contract/composition-end-to-end.js'

compositionEndToEnd('SQLite for both, in one file', async () => ({}))
