// What the browser says of the room there is for all data of an origin, and the wish to keep it: `Potoroo.storage`.

/** In bytes; estimates, which browsers blur, and nothing where the platform does not tell. */
export interface StorageEstimate {
  usage: number | undefined;
  quota: number | undefined;
}

export interface BrowserStorage {
  persist(): Promise<boolean>;
  persisted(): Promise<boolean>;
  estimate(): Promise<StorageEstimate>;
}

/** Missing in Node, in pages that are not served securely, in old browsers; refusing in pages without an origin. */
const manager = () => (globalThis.navigator as Navigator | undefined)?.storage as Partial<StorageManager> | undefined;

export const browserStorage: BrowserStorage = {
  async persist() {
    return (await ask(() => manager()?.persist?.())) ?? false;
  },
  async persisted() {
    return (await ask(() => manager()?.persisted?.())) ?? false;
  },
  async estimate() {
    const { usage, quota } = (await ask(() => manager()?.estimate?.())) ?? {};
    return { usage, quota };
  },
};

async function ask<Answer>(question: () => Promise<Answer> | undefined): Promise<Answer | undefined> {
  try {
    return await question();
  } catch {
    return undefined;
  }
}
