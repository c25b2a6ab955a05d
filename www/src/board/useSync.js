// Live sync with any number of remotes, and its state in a form the page can show.
import { computed, reactive, ref } from 'vue';
import { readSettings, writeSettings } from './settings.js';
import { errorWords, overallState, progressOf, stateOf, stateWords, syncSentence } from './words.js';

export function useSync(db) {
  /** `{id, url, state, sentence, progress, detail, received, sent, lastChange}` each; `progress` from 0 to 1 while there is some. */
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
    remotes.push({ id: crypto.randomUUID(), url, state: 'off', sentence: stateWords.off, progress: undefined, detail: '', received: 0, sent: 0, lastChange: undefined });
    return remotes.at(-1);
  }

  function save() {
    return writeSettings(db, { remotes: remotes.map((remote) => remote.url), workOffline: workOffline.value, knownOffer });
  }

  function start(remote) {
    stop(remote);
    if (workOffline.value) return;
    Object.assign(remote, { detail: '' });
    const sync = db.sync(remote.url, { live: true, retry: true });
    running.set(remote.id, sync);
    follow(remote, sync);
    show(remote, sync.status());
  }

  function show(remote, status) {
    Object.assign(remote, { state: stateOf(status), sentence: syncSentence(status), progress: progressOf(status) });
  }

  function follow(remote, sync) {
    const current = () => running.get(remote.id) === sync;
    sync
      .on('status', (status) => {
        if (current()) show(remote, status);
      })
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
        if (current()) remote.detail = errorWords(error);
      });
    // Sync is a promise too; its failure is already shown by the event.
    sync.catch?.(() => {});
  }

  function stop(remote) {
    const sync = running.get(remote.id);
    running.delete(remote.id);
    sync?.cancel();
    Object.assign(remote, { state: 'off', sentence: stateWords.off, progress: undefined, detail: '' });
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
