/**
 * How long the client half takes in Node, and the memory it needs.
 *
 *     .ci/wasm               # builds the module
 *     node web/measure.mjs
 */

import { readFile } from "node:fs/promises";

import { load } from "./client.js";

const MODULE = new URL("../target/wasm/wasm32-unknown-unknown/web/client.wasm", import.meta.url);
const FIXTURES = new URL("../target/wasm/fixtures/", import.meta.url);
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

const pixels = await readFile(new URL("pixels", FIXTURES));
const document = await readFile(new URL("sign-cnn/specification.json", FIXTURES));
for (const set of ["FUNCTIONAL_1024", "GATES_DEFAULT"]) {
  const module = await load(compiled);
  const specification = module.readSpecification(document);
  const key = module.drawSecretKey(set);
  const client = specification.client(key);
  measure(`${set}: secret key`, () => module.drawSecretKey(set).release());
  measure(`${set}: picture for sign-cnn, from its specification`, () => {
    const read = module.readSpecification(document);
    read.client(key).encrypt(28, 28, pixels);
  });
  measure(`${set}: picture for sign-cnn`, () => void client.encrypt(28, 28, pixels));
  console.log(`${set}: ${(module.memoryBytes / 2 ** 20).toFixed(1)} MiB of memory without the cloud key`);
  measure(`${set}: cloud key`, () => {
    for (const _ of key.cloudKey().pieces());
  });
  console.log(`${set}: ${(module.memoryBytes / 2 ** 20).toFixed(1)} MiB of memory`);
}

const module = await load(compiled);
const specification = module.readSpecification(await readFile(new URL("perceptron/specification.json", FIXTURES)));
// From seed 1, as the fixtures are.
const draw = crypto.getRandomValues;
crypto.getRandomValues = (/** @type {any} */ bytes) => Object.assign(bytes.fill(0), { 0: 1 });
const client = specification.client(module.drawSecretKey("FUNCTIONAL_1024"));
crypto.getRandomValues = draw;
const scores = await readFile(new URL("perceptron/FUNCTIONAL_1024.scores", FIXTURES));
measure("FUNCTIONAL_1024: scores of perceptron decrypted", () => void client.decrypt(scores));
