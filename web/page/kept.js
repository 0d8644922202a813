/**
 * What stays in this browser between visits: secret keys, and pictures whose scores have not come yet. It is in databases of the
 * browser (IndexedDB), which only pages of the same origin read.
 *
 * Where the browser keeps nothing, it all lasts as long as the worker that has this module.
 *
 * @module
 */

/**
 * A picture that the service was asked to read. Its encrypted file is kept because the same file is the same job at the service: to
 * send it again is to find that job.
 *
 * @typedef {object} Reading
 * @property {string} model
 * @property {string} key The identity of the key that it is encrypted under.
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array<ArrayBuffer>} pixels
 * @property {Uint8Array<ArrayBuffer>} image The file of the encrypted picture.
 */

const STORE = "kept";

/**
 * Values of one kind by their names.
 *
 * @template T
 */
class Shelf {
  #database;
  #wipe;
  /** @type {Promise<IDBDatabase> | undefined} */
  #opened;
  /** The values of a browser without a database. @type {Map<string, T>} */
  #inMemory = new Map();

  /**
   * @param {string} database A database a shelf: another kind of things then changes no database that an open page uses.
   * @param {(value: T) => void} wipe Overwrites a value in memory.
   */
  constructor(database, wipe) {
    this.#database = database;
    this.#wipe = wipe;
  }

  /**
   * A value of the caller's own. Overwrite it when it was read.
   *
   * @param {string} name
   * @returns {Promise<T | undefined>}
   */
  get(name) {
    return this.#do("readonly", (store) => store.get(name), () => structuredClone(this.#inMemory.get(name)));
  }

  /** @returns {Promise<string[]>} */
  names() {
    return this.#do("readonly", (store) => store.getAllKeys(), () => [...this.#inMemory.keys()]);
  }

  /**
   * Keeps a value unless there is one of this name: of two pages that do so at the same time, both use the first one's.
   *
   * @param {string} name
   * @param {T} value
   * @returns {Promise<boolean>} Whether this is the value that is kept.
   */
  async add(name, value) {
    try {
      await this.#do("readwrite", (store) => store.add(value, name), () => this.#inMemory.set(name, structuredClone(value)));
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === "ConstraintError") return false;
      throw error;
    }
  }

  /**
   * Keeps a value in the place of the one of this name.
   *
   * @param {string} name
   * @param {T} value
   */
  async put(name, value) {
    await this.#do("readwrite", (store) => store.put(value, name), () => this.#inMemory.set(name, structuredClone(value)));
  }

  /** @param {string} name */
  async delete(name) {
    await this.#do("readwrite", (store) => store.delete(name), () => {
      const value = this.#inMemory.get(name);
      if (value) this.#wipe(value);
      this.#inMemory.delete(name);
    });
  }

  /** Whether values outlast the page. */
  async isLasting() {
    return (await this.#open()) !== undefined;
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} ask
   * @param {() => unknown} instead What is done where there is no database.
   * @returns {Promise<any>} The result, once it is on the disk.
   */
  async #do(mode, ask, instead) {
    const database = await this.#open();
    if (!database) return instead();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }

  /** @returns {Promise<IDBDatabase | undefined>} */
  #open() {
    this.#opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#database, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => {
        // Who clears the data of sites closes it: the next question opens another.
        request.result.onclose = () => (this.#opened = undefined);
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    });
    return this.#opened.catch(() => undefined);
  }
}

/** The files of secret keys by their parameter sets. @type {Shelf<Uint8Array<ArrayBuffer>>} */
export const keys = new Shelf("bnn-tfhe keys", (file) => file.fill(0));

/** The readings that have not ended, by the pages that began them. @type {Shelf<Reading>} */
export const readings = new Shelf("bnn-tfhe readings", ({ pixels }) => pixels.fill(0));
