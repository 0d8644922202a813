/**
 * Where secret keys stay between visits: a database of this browser, which only pages of the same origin read. It holds one key for
 * each parameter set.
 *
 * Where the browser keeps nothing, keys last as long as the worker that has this module.
 *
 * @module
 */

const DATABASE = "bnn-tfhe";
const STORE = "secret-keys";

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

/** The keys of a browser without a database. @type {Map<string, Uint8Array<ArrayBuffer>>} */
const inMemory = new Map();

/**
 * The file of the key for a parameter set. Overwrite it when it was read.
 *
 * @param {string} parameters
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}
 */
export async function find(parameters) {
  const file = await inDatabase("readonly", (store) => store.get(parameters), () => inMemory.get(parameters)?.slice());
  return file;
}

/**
 * Keeps a key, unless there is one for its parameter set: of two pages that draw one at the same time, both use the first.
 *
 * @param {string} parameters
 * @param {Uint8Array<ArrayBuffer>} file
 * @returns {Promise<boolean>} Whether this is the key that is kept.
 */
export async function add(parameters, file) {
  try {
    await inDatabase("readwrite", (store) => store.add(file, parameters), () => inMemory.set(parameters, file.slice()));
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "ConstraintError") return false;
    throw error;
  }
}

/**
 * Keeps a key in the place of the one for its parameter set.
 *
 * @param {string} parameters
 * @param {Uint8Array<ArrayBuffer>} file
 */
export async function replace(parameters, file) {
  await inDatabase("readwrite", (store) => store.put(file, parameters), () => inMemory.set(parameters, file.slice()));
}

/** @param {string} parameters */
export async function forget(parameters) {
  await inDatabase("readwrite", (store) => store.delete(parameters), () => inMemory.get(parameters)?.fill(0));
  inMemory.delete(parameters);
}

/** Whether keys outlast the page. */
export async function areKept() {
  return (await open()) !== undefined;
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} ask
 * @param {() => unknown} instead What is done where there is no database.
 * @returns {Promise<any>} The result, once it is on the disk.
 */
async function inDatabase(mode, ask, instead) {
  const database = await open();
  if (!database) return instead();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const request = ask(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}

/** @returns {Promise<IDBDatabase | undefined>} */
function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened.catch(() => undefined);
}
