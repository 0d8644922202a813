/**
 * How long the client half takes in Node, and the memory it needs.
 *
 *     .ci/wasm               # builds the module
 *     node web/measure.mjs
 */

import { readFile } from "node:fs/promises";

import { load } from "./client.js";

const MODULE = new URL("../target/wasm/wasm32-unknown-unknown/web/client.wasm", import.meta.url);
const ROUNDS = 7;

const bytes = await readFile(MODULE);
const compiled = await WebAssembly.compile(bytes);
console.log(`module: ${bytes.length} bytes`);

/** @param {string} what @param {(round: number) => void} work */
function measure(what, work) {
  const times = Array.from({ length: ROUNDS }, (_, round) => {
    const start = performance.now();
    work(round);
    return performance.now() - start;
  });
  const [first] = times;
  const sorted = times.toSorted((a, b) => a - b);
  const [least, middle] = [sorted[0], sorted[ROUNDS >> 1]];
  console.log(`${what}: median ${middle.toFixed(1)} ms, least ${least.toFixed(1)} ms, first call ${first.toFixed(1)} ms`);
}

for (const set of ["FUNCTIONAL_1024", "GATES_DEFAULT"]) {
  const client = await load(compiled);
  const key = client.drawSecretKey(set);
  measure(`${set}: secret key`, () => client.drawSecretKey(set).release());
  measure(`${set}: cloud key`, () => {
    for (const _ of key.cloudKey().pieces());
  });
  const bits = new Uint8Array(784);
  measure(`${set}: 784 bits encrypted`, () => void key.encryptBits(bits));
  const messages = new Uint32Array(784);
  measure(`${set}: 784 messages packed, 392 a sample`, () => void key.encryptPacked(messages, 392));
  console.log(`${set}: ${(client.memoryBytes / 2 ** 20).toFixed(1)} MiB of memory`);
}
