// HTTP to a CouchDB without any database library.

/** fetch turns down a URL with credentials in it, so they go into a header. */
export function remote(address) {
  const url = new URL(address);
  const headers = { accept: 'application/json' };
  if (url.username) {
    const plain = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${btoa(plain)}`;
  }
  const base = url.origin + url.pathname;

  async function request(method, path, body) {
    const response = await fetch(base + path, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`);
    return response;
  }
  return {
    get: (path) => request('GET', path),
    delete: (path) => request('DELETE', path),
    post: (path, body) => request('POST', path, body),
  };
}
