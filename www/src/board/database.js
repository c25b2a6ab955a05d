import Potoroo from 'potoroo';

const parameters = new URLSearchParams(location.search);

/** The board's database in this browser. `?db=` opens another one, so that one browser can hold several boards. */
export const db = new Potoroo(parameters.get('db') || 'board');

/** An address given in the page's own URL, to be synced with at once. */
export const remoteFromUrl = parameters.get('remote');

/** The server that serves this page may offer a database along with it, as the demo server does. */
export async function remoteFromServer() {
  try {
    const response = await fetch('/demo.json', { cache: 'no-store' });
    const { remote } = await response.json();
    return typeof remote === 'string' ? remote : undefined;
  } catch {
    // Offline, or an ordinary web server that has no such file.
    return undefined;
  }
}
