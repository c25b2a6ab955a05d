// States and times as a person would say them.

export const stateWords = {
  off: 'Paused while you work offline',
  connecting: 'Connecting',
  active: 'Sending and receiving',
  idle: 'Up to date',
  retrying: 'Offline, trying again',
  error: 'Stopped',
};

/** Of the library's states, those that the page has colours for. */
export function stateOf({ state }) {
  const states = { connecting: 'connecting', 'catching up': 'active', 'up to date': 'idle', stopped: 'error', complete: 'off', cancelled: 'off' };
  return states[state] ?? 'retrying';
}

/** How much is done, from 0 to 1, where there is enough to do that somebody may want to know. */
export function progressOf({ state, done, pending }) {
  return state === 'catching up' && done + pending >= 100 ? done / (done + pending) : undefined;
}

/** How the sync with a remote stands. */
export function syncSentence(status) {
  const { state, done, pending, last_error } = status;
  switch (state) {
    case 'catching up': {
      const total = done + (pending ?? 0);
      return total >= 100 ? `Catching up: ${done.toLocaleString('en')} of ${total.toLocaleString('en')} changes` : stateWords.active;
    }
    case 'waiting to retry':
      return `The server can't answer now (${last_error.reason || last_error.message}), trying again`;
    default:
      return stateWords[stateOf(status)];
  }
}

/** Why a remote has stopped, from the error that stopped it. */
export function errorWords(error) {
  if (error.status === 401 || error.name === 'unauthorized') return 'The server asks for a name and password, or did not accept these.';
  if (error.status === 403 || error.name === 'forbidden') return 'The server does not let you use this database.';
  if (error.status === 404) return 'The server has no such database.';
  return error.reason || error.message || 'The server answered something that made no sense.';
}

/** One state for all remotes together: the one a person should know first. */
export function overallState(states) {
  return ['error', 'retrying', 'connecting', 'active', 'idle', 'off'].find((state) => states.includes(state)) ?? 'none';
}

export const overallWords = {
  none: 'Only in this browser',
  off: 'Working offline',
  connecting: 'Connecting',
  active: 'Syncing',
  idle: 'Up to date',
  retrying: 'Offline, trying again',
  error: 'Needs a look',
};

/** "just now", "5 minutes ago", "yesterday", or a date. */
export function ago(when, now = Date.now()) {
  const seconds = Math.round((now - Date.parse(when)) / 1000);
  if (seconds < 45) return 'just now';
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (seconds < 45 * 60) return relative.format(-Math.max(1, Math.round(seconds / 60)), 'minute');
  if (seconds < 22 * 3600) return relative.format(-Math.max(1, Math.round(seconds / 3600)), 'hour');
  if (seconds < 6 * 86400) return relative.format(-Math.max(1, Math.round(seconds / 86400)), 'day');
  return new Date(when).toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric' });
}

/** An address as it may be shown: without the password in it. */
export function withoutPassword(url) {
  try {
    const parsed = new URL(url);
    const user = parsed.username ? `${decodeURIComponent(parsed.username)}@` : '';
    return `${parsed.protocol === 'http:' ? '' : parsed.protocol + '//'}${user}${parsed.host}${parsed.pathname.replace(/\/$/, '')}`;
  } catch {
    return url;
  }
}

/** What is wrong with an address somebody typed, or '' if nothing is. */
export function addressProblem(text, known) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return 'Write the whole address, like https://example.org/board';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'The address must start with http:// or https://';
  if (url.pathname === '/' || url.pathname === '') return 'Add the name of the database, like https://example.org/board';
  if (known.includes(text)) return 'The board already syncs with this address';
  return '';
}
