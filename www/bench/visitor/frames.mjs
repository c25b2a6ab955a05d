// Pages for the measurements inside the visitor's page: frames of the same origin, that can be reloaded like a page.
import { makeWorkloads } from '../workloads/index.mjs';

const framePage = new URL('../page/index.html', import.meta.url).href;
/** Where the built app has the contestants' scripts; see libraries/vite-plugin.mjs. */
const scriptFolder = new URL('../scripts/', import.meta.url).href;

/** What measure.mjs asks of a page. */
async function openFrame(holder) {
  const frame = document.createElement('iframe');
  const errors = [];
  // The load event comes after the frame's module has run.
  const loaded = () =>
    new Promise((resolve) => {
      frame.addEventListener('load', resolve, { once: true });
    }).then(() => {
      frame.contentWindow.addEventListener('error', ({ message }) => errors.push(message));
    });
  const ready = loaded();
  frame.title = 'measured page';
  frame.src = framePage;
  holder.append(frame);
  await ready;
  return {
    errors,
    start: (id) => frame.contentWindow.bench.start(id, scriptFolder),
    step: (context) => frame.contentWindow.bench.step(context),
    async bringToFront() {},
    async reload() {
      const again = loaded();
      frame.contentWindow.location.reload();
      await again;
    },
    async close() {
      frame.remove();
    },
  };
}

/** The environment of measure.mjs, whose frames are in `holder`. All of them have this page's origin. */
export function makeFrames(holder) {
  let stopped = false;
  return {
    warnings: [],
    separatesOrigins: false,
    newPage: () => openFrame(holder),
    workload: (id, sizes) => makeWorkloads(sizes).find((workload) => workload.id === id),
    checkRunning() {
      if (stopped) throw new Error('stopped');
    },
    /** Nothing new is begun; what is going on in a frame ends with the frame, so its promise stays pending. */
    stop() {
      stopped = true;
      holder.replaceChildren();
    },
  };
}
