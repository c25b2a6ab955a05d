// Live sync with any number of remotes, and its state in a form the page can show.
import { computed, reactive, ref } from 'vue';
import { readSettings, writeSettings } from './settings.js';
import { errorWords, overallState } from './words.js';

export function useSync(db) {
  /** `{id, url, state, detail, received, sent, lastChange}` each. */
  const remotes = reactive([]);
  const workOffline = ref(false);
  const running = new Map();
  let knownOffer;

  const overall = computed(() => overallState(remotes.map((remote) => remote.state)));

  async function open({ offered, given }) {
    const settings = await readSettings(db);
    workOffline.value = settings.workOffline;
    knownOffer = settings.knownOffer;
    for (const url of settings.remotes) list(url);
    if (given && !find(given)) list(given);
    remotes.forEach(start);
    acceptOffer(await offered);
    save();
  }

  /** A server's offer is taken up once per address; somebody who removed it is not asked again. */
  function acceptOffer(url) {
    if (!url || url === knownOffer) return;
    // The demo server may come back on another port: its old address leads nowhere any more.
    const old = knownOffer && find(knownOffer);
    if (old) drop(old);
    knownOffer = url;
    if (!find(url)) start(list(url));
  }

  const find = (url) => remotes.find((remote) => remote.url === url);

  function list(url) {
    remotes.push({ id: crypto.randomUUID(), url, state: 'off', detail: '', received: 0, sent: 0, lastChange: undefined });
    return remotes.at(-1);
  }

  function save() {
    return writeSettings(db, { remotes: remotes.map((remote) => remote.url), workOffline: workOffline.value, knownOffer });
  }

  function start(remote) {
    stop(remote);
    if (workOffline.value) return;
    Object.assign(remote, { state: 'connecting', detail: '' });
    const sync = db.sync(remote.url, { live: true, retry: true });
    running.set(remote.id, sync);
    follow(remote, sync);
  }

  function follow(remote, sync) {
    const current = () => running.get(remote.id) === sync;
    // Each direction pauses for itself: up to date only when both are, waiting for the network when either is.
    const sides = { push: 'working', pull: 'working' };
    const show = () => {
      if (!current() || remote.state === 'error') return;
      const both = Object.values(sides);
      if (both.includes('retrying')) remote.state = 'retrying';
      else if (both.every((side) => side === 'paused')) remote.state = 'idle';
      else remote.state = remote.state === 'connecting' ? 'connecting' : 'active';
    };
    for (const side of ['push', 'pull']) {
      sync[side]
        .on('active', () => {
          sides[side] = 'working';
          if (remote.state === 'connecting') remote.state = 'active';
          show();
        })
        .on('paused', (error) => {
          sides[side] = error ? 'retrying' : 'paused';
          show();
        });
    }
    sync
      .on('change', ({ direction, change }) => {
        if (!current()) return;
        // Summed up here, because docs_written starts again whenever the replication does.
        remote[direction === 'pull' ? 'received' : 'sent'] += change.docs.length;
        remote.lastChange = new Date().toISOString();
      })
      .on('denied', ({ doc }) => {
        if (current()) remote.detail = `The server refused a note: ${errorWords(doc)}`;
      })
      .on('error', (error) => {
        if (current()) Object.assign(remote, { state: 'error', detail: errorWords(error) });
      });
    // Sync is a promise too; its failure is already shown by the event.
    sync.catch?.(() => {});
  }

  function stop(remote) {
    const sync = running.get(remote.id);
    running.delete(remote.id);
    sync?.cancel();
    Object.assign(remote, { state: 'off', detail: '' });
  }

  function drop(remote) {
    stop(remote);
    remotes.splice(remotes.indexOf(remote), 1);
  }

  return {
    remotes,
    workOffline,
    overall,
    open,
    addRemote(url) {
      start(list(url));
      return save();
    },
    removeRemote(remote) {
      drop(remote);
      return save();
    },
    retryRemote: start,
    setWorkOffline(on) {
      workOffline.value = on;
      remotes.forEach(on ? stop : start);
      return save();
    },
  };
}
