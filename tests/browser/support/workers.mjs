// The workers of a frame (see frame.mjs) in the hands of a test.

/** For `prepare` of a frame: collects the workers that are made in it. Each has a promise `terminated`. */
export const watchWorkers = (workers) => (window) => {
  window.Worker = class extends window.Worker {
    constructor(...args) {
      super(...args);
      this.terminated = new Promise((resolve) => {
        this.tellTerminated = resolve;
      });
      workers.push(this);
    }

    terminate() {
      super.terminate();
      this.tellTerminated();
    }
  };
};

/** Ends a worker, and says so as a browser does where one has run out of memory. */
export function kill(worker) {
  worker.terminate();
  worker.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
}

/** What the code in a frame warns of. */
export function listenToWarnings(window) {
  const warnings = [];
  window.console.warn = (text) => warnings.push(text);
  return warnings;
}
