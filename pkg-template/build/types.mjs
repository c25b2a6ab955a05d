// Declarations for `require`, made from those for `import`.

/**
 * The package is a package of ES modules, so TypeScript takes a .d.ts in it for one, and its `export default` for a
 * property named default. Required, the module is the class itself and has the named exports as properties.
 */
export function commonJsTypes(name, text) {
  const local = text.replace(/(from '\.\/[^']+)\.js'/g, "$1.cjs'");
  if (name === 'index.d.ts') {
    const exported = replace(local, /^export \{ Potoroo \};\nexport default Potoroo;$/m, 'export = Potoroo;');
    const withExports = 'Potoroo.Static & { readonly Potoroo: Potoroo.Static; readonly default: Potoroo.Static }';
    return replace(exported, /^declare const Potoroo: Potoroo\.Static;$/m, `declare const Potoroo: ${withExports};`);
  }
  // Not as a default import, which can't be compiled without esModuleInterop.
  if (name === 'slim.d.ts') return replace(local, /^import (\w+) from ('\.\/index\.cjs');$/m, 'import $1 = require($2);');
  return local;
}

function replace(text, pattern, replacement) {
  if (!pattern.test(text)) throw new Error(`the types have changed: nothing in them matches ${pattern}`);
  return text.replace(pattern, replacement);
}
