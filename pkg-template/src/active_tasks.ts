// What long work is going on: replications, later also the building of indexes and compaction.

export interface ActiveTask {
  id: string;
  name: string;
  created_at: string;
  updated_at?: string;
  total_items?: number;
  completed_items?: number;
}

export class ActiveTasks {
  tasks: Record<string, ActiveTask> = {};

  list(): ActiveTask[] {
    return Object.values(this.tasks);
  }

  /** Answers the id by which the task is known from now on. */
  add(task: { name: string; total_items?: number }): string {
    const id = uuid();
    this.tasks[id] = { id, name: task.name, created_at: new Date().toJSON() };
    if (task.total_items !== undefined) this.tasks[id].total_items = task.total_items;
    return id;
  }

  get(id: string): ActiveTask | undefined {
    return this.tasks[id];
  }

  /** Members that are missing (or zero) in `update` stay as they are. */
  update(id: string, update: { total_items?: number; completed_items?: number }): Record<string, ActiveTask> {
    const task = this.tasks[id];
    if (task) {
      this.tasks[id] = {
        id: task.id,
        name: task.name,
        created_at: task.created_at,
        total_items: update.total_items || task.total_items,
        completed_items: update.completed_items || task.completed_items,
        updated_at: new Date().toJSON(),
      };
    }
    return this.tasks;
  }

  remove(id: string, _reason?: unknown): Record<string, ActiveTask> {
    delete this.tasks[id];
    return this.tasks;
  }
}

/** A random uuid (version 4); crypto.randomUUID exists in secure contexts only. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
