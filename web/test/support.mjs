/** What the tests share. */

import assert from "node:assert/strict";

import { ClientError } from "../client.js";

/** The module, as `.ci/wasm` builds it. */
export const MODULE = new URL("../../target/wasm/wasm32-unknown-unknown/web/client.wasm", import.meta.url);

/**
 * Has the next seeds be those of the vectors: the number in 8 bytes, little-endian, then zeros.
 *
 * @param {import("node:test").TestContext} t
 * @param {...number} numbers
 */
export function seeds(t, ...numbers) {
  t.mock.method(crypto, "getRandomValues", (/** @type {Uint8Array} */ bytes) => {
    assert.equal(bytes.length, 32, "a seed");
    const number = numbers.shift();
    assert.notEqual(number, undefined, "one seed more than the test knows of");
    bytes.fill(0);
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, BigInt(number ?? 0), true);
    return bytes;
  });
}

/** @param {unknown} error @param {string} blame @param {RegExp} message */
export function isRefusal(error, blame, message) {
  assert.ok(error instanceof ClientError, String(error));
  assert.equal(error.blame, blame, error.message);
  assert.match(error.message, message);
  return true;
}

/**
 * The memories of the modules that are loaded from now on.
 *
 * @param {import("node:test").TestContext} t
 */
export function spyOnMemories(t) {
  /** @type {WebAssembly.Memory[]} */
  const memories = [];
  const instantiate = WebAssembly.instantiate;
  t.mock.method(WebAssembly, "instantiate", async (/** @type {WebAssembly.Module} */ source, /** @type {any} */ imports) => {
    const instance = await instantiate(source, imports);
    memories.push(/** @type {WebAssembly.Memory} */ (instance.exports.memory));
    return instance;
  });
  return memories;
}
