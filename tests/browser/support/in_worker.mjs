// The class with `worker: true` as the option of every database, whose tests can't tell it from the class itself. What
// Potoroo.defaults() makes has a chain of prototypes of its own.
export function inWorker(Potoroo) {
  const proxy = new Proxy(Potoroo, {
    construct: (target, args, newTarget) => Reflect.construct(target, withOption(args), newTarget),
    apply: (target, self, args) => Reflect.apply(target, self, withOption(args)),
  });
  Potoroo.prototype.constructor = proxy;
  return proxy;
}

function withOption([name, options]) {
  return typeof name === 'object' && name !== null ? [{ worker: true, ...name }] : [name, { worker: true, ...options }];
}
