/**
 * What your application adds to, or makes more precise in, the context of a request. Declare it once:
 * @example
 * declare module 'errand' {
 *   interface RequestContext { user: MyUser; tenant: string }
 * }
 */
// oxlint-disable-next-line no-empty-interface -- filled by the application through module augmentation
export interface RequestContext {}
