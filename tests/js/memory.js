// Browser storage in Node's memory.

/** Storage with room for texts of so many letters. */
export class Memory {
  items = new Map();

  constructor(room = Infinity) {
    this.room = room;
    return new Proxy(this, { ownKeys: () => [...this.items.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) });
  }

  getItem(key) {
    return this.items.get(key) ?? null;
  }

  setItem(key, text) {
    if (text.length > this.room) throw new Error("full");
    this.items.set(key, text);
  }

  removeItem(key) {
    this.items.delete(key);
  }
}
