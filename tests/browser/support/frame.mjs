// Pages within the test's page, for what can't be taken from the page itself.

/** A frame of this origin with the library, loaded after `prepare` has taken something from it. */
export async function frame(prepare = () => {}, page = '/empty.html') {
  const element = document.createElement('iframe');
  element.src = page;
  document.body.append(element);
  await new Promise((resolve) => element.addEventListener('load', resolve));
  const { contentWindow: window, contentDocument } = element;
  prepare(window);
  const script = contentDocument.createElement('script');
  script.src = '/pkg/dist/potoroo.iife.js';
  contentDocument.head.append(script);
  await new Promise((resolve) => script.addEventListener('load', resolve));
  return { Potoroo: window.Potoroo, window, remove: () => element.remove() };
}
