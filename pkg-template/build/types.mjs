/**
 * The declarations for `require`. TypeScript takes a .d.ts in this package for an ES module's, and its
 * `export default` for a property named default; required, the module is the class itself.
 */
export function commonJsTypes(text) {
  return text.replace(/(from '\.\/[^']+)\.d\.ts'/g, "$1.d.cts'").replace(/(from '\.\/[^']+)\.js'/g, "$1.cjs'");
}
