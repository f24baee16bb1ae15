/** Lies here so that packages are looked for in the folder of the peers. @param {string} name */
export const load = (name) => import(name)
