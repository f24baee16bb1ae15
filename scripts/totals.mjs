/** The closing line of a test run. @param {{ passed: number, failed: number, skipped: number }} totals */
export const totalsLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
