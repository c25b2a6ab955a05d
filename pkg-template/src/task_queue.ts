// Calls made before a database is open wait here. Plugins know it by PouchDB's name and members.

/** A waiting call; it gets the error where the database could not be opened. */
export type Task = (failed?: Error) => void;

export class TaskQueue {
  isReady = false;
  failed: Error | false = false;
  queue: Task[] = [];

  /** Runs `task` once the database is open; callers look at `isReady` first. */
  addTask(task: Task): void {
    this.queue.push(task);
    if (this.failed) this.execute();
  }

  ready(): void {
    this.isReady = true;
    this.execute();
  }

  fail(error: Error): void {
    this.failed = error;
    this.execute();
  }

  execute(): void {
    for (let task = this.queue.shift(); task; task = this.queue.shift()) {
      if (this.failed) task(this.failed);
      else task();
    }
  }
}
