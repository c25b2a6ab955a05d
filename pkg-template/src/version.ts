/** Set by the build to the version of the crate. */
declare const POTOROO_VERSION: string;

export const version = POTOROO_VERSION;
