/**
 * The compiled client half in Node: from fixed seeds it gives the bytes of the known-answer vectors, what is wrong is refused, and
 * secrets are overwritten.
 *
 *     .ci/wasm                              # builds the module and runs the tests
 *     node --test web/test/*.test.mjs       # the tests alone
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { Worker } from "node:worker_threads";

import { load } from "../client.js";
import { MODULE, isRefusal, seeds, spyOnMemories } from "./support.mjs";

const VECTORS = new URL("../../vectors/native-files.json", import.meta.url);

/** @type {WebAssembly.Module} */
let compiled;
/** @type {{ inputs: Record<string, string | number>, outputs: { bytes: number, sha256: string } }[]} */
let cases;

before(async () => {
  compiled = await WebAssembly.compile(await readFile(MODULE));
  cases = JSON.parse(await readFile(VECTORS, "utf8")).vectors[0].cases;
});

/** @param {string} kind @param {string} set */
function known(kind, set) {
  const found = cases.find(({ inputs }) => inputs.kind === kind && inputs.set === set);
  assert.ok(found, `${kind} of ${set}`);
  return found.outputs;
}

/** @param {...Uint8Array} pieces */
function print(...pieces) {
  const hash = createHash("sha256");
  pieces.forEach((piece) => hash.update(piece));
  return { bytes: pieces.reduce((sum, piece) => sum + piece.length, 0), sha256: hash.digest("hex") };
}

for (const set of ["FUNCTIONAL_1024", "GATES_DEFAULT", "GATES_BLOCK_BINARY", "TFHE_LIB_V1_1"]) {
  test(`${set}: files are those of the vectors, byte for byte`, async (t) => {
    const module = await load(compiled);
    seeds(t, 1, 2, 3, 4);
    const key = module.drawSecretKey(set);
    assert.equal(key.parameters, set);
    assert.deepEqual(print(key.toBytes()), known("secret key", set));

    const cloud = key.cloudKey();
    const pieces = [...cloud.pieces()];
    assert.deepEqual(print(...pieces), known("cloud key", set));
    assert.equal(cloud.length, known("cloud key", set).bytes);
    t.diagnostic(`${pieces.length} pieces, ${module.memoryBytes} bytes of memory`);

    const bits = Uint8Array.from({ length: 40 }, (_, i) => Number(i % 3 === 1));
    assert.deepEqual(print(key.encryptBits(bits)), known("seeded ciphertexts", set));

    const messages = Uint32Array.from({ length: 100 }, (_, i) => i << 24);
    if (cases.some(({ inputs }) => inputs.kind === "packed ciphertext" && inputs.set === set)) {
      assert.deepEqual(print(key.encryptPacked(messages, 64)), known("packed ciphertext", set));
    } else {
      assert.throws(() => key.encryptPacked(messages, 64), (error) => isRefusal(error, "caller", /no packed/));
    }
  });
}

test("a secret key is read from its file, and keys of the system's randomness differ", async () => {
  const module = await load(compiled);
  const [key, other] = [module.drawSecretKey("GATES_DEFAULT"), module.drawSecretKey("GATES_DEFAULT")];
  assert.notEqual(key.id, other.id);
  assert.match(key.id, /^[0-9a-f]{32}$/);
  const read = module.readSecretKey(key.toBytes());
  assert.equal(read.id, key.id);
  assert.deepEqual(read.toBytes(), key.toBytes());
});

test("what is wrong is refused, with whose fault it is", async (t) => {
  const module = await load(compiled);
  const key = module.drawSecretKey("GATES_DEFAULT");
  const refused = (/** @type {() => unknown} */ call, /** @type {string} */ blame, /** @type {RegExp} */ message) =>
    assert.throws(call, (error) => isRefusal(error, blame, message));

  refused(() => module.drawSecretKey("GATES"), "caller", /no parameter set is called 'GATES'/);
  refused(() => key.encryptBits(Uint8Array.of(0, 1, 2)), "caller", /0 or 1/);
  refused(() => key.encryptPacked(Uint32Array.of(1), 0), "caller", /rows of 0 messages/);
  refused(() => module.readSecretKey(new Uint8Array(10)), "peer", /magic/);
  const file = key.toBytes();
  refused(() => module.readSecretKey(file.subarray(0, 300)), "peer", /truncated/);
  file[200] ^= 1;
  refused(() => module.readSecretKey(file), "peer", /checksum/);
  refused(() => key.decryptBits(key.encryptBits(Uint8Array.of(1))), "peer", /seeded ciphertexts, where a list/);
  refused(() => module.readSecretKey(key.encryptBits(Uint8Array.of(1))), "peer", /where a secret key/);

  t.mock.method(crypto, "getRandomValues", () => {
    throw new Error("none today");
  });
  refused(() => module.drawSecretKey("GATES_DEFAULT"), "machine", /no random bytes/);
  t.mock.restoreAll();
  assert.equal(module.drawSecretKey("GATES_DEFAULT").parameters, "GATES_DEFAULT", "it goes on after errors");
});

test("released keys are gone, and so is a cloud key that nobody wanted to the end", async () => {
  const module = await load(compiled);
  const key = module.drawSecretKey("GATES_DEFAULT");
  const cloud = key.cloudKey();
  for (const piece of cloud.pieces()) {
    assert.ok(piece.length > 0);
    break;
  }
  assert.throws(() => [...cloud.pieces()], (error) => isRefusal(error, "caller", /not the handle of a cloud key/));
  key.release();
  key.release();
  assert.throws(() => key.toBytes(), (error) => isRefusal(error, "caller", /not the handle of a secret key/));
});

/**
 * Places of a key's file in the module's memory, and of its bits, a word each. The file's key bits come after 100 bytes.
 *
 * @param {WebAssembly.Memory} memory
 * @param {Uint8Array} file
 */
function traces(memory, file) {
  const all = Buffer.from(memory.buffer);
  const packed = Buffer.from(file.subarray(100, 120));
  const words = Buffer.alloc(4 * 64);
  for (let bit = 0; bit < 64; bit += 1) words[4 * bit] = (file[100 + (bit >> 3)] >> (bit & 7)) & 1;
  return [packed, words].map((trace) => all.includes(trace));
}

test("a released key leaves no trace in the module's memory", async (t) => {
  const memories = spyOnMemories(t);
  const module = await load(compiled);
  const key = module.drawSecretKey("GATES_DEFAULT");
  const file = key.toBytes();
  module.readSecretKey(file).release();
  key.encryptBits(Uint8Array.of(0, 1));
  assert.equal([...key.cloudKey().pieces()].length, 25);
  assert.deepEqual(traces(memories[0], file), [false, true], "the test sees a key that is there");
  key.release();
  assert.deepEqual(traces(memories[0], file), [false, false]);
});

test("a closed module has nothing but zeros in memory, and says so", async (t) => {
  const memories = spyOnMemories(t);
  const module = await load(compiled);
  const key = module.drawSecretKey("GATES_DEFAULT");
  module.close();
  assert.ok(Buffer.from(memories[0].buffer).every((byte) => byte === 0));
  assert.throws(() => key.toBytes(), (error) => isRefusal(error, "caller", /closed/));
  key.release();
});

test("a module that has stopped says so, and its memory is overwritten", async (t) => {
  const memories = spyOnMemories(t);
  const module = await load(compiled);
  new Uint8Array(memories[0].buffer).fill(255);
  assert.throws(() => module.drawSecretKey("GATES_DEFAULT"), (error) => isRefusal(error, "machine", /has stopped/));
  assert.ok(Buffer.from(memories[0].buffer).every((byte) => byte === 0));
  assert.throws(() => module.drawSecretKey("GATES_DEFAULT"), (error) => isRefusal(error, "caller", /has stopped/));
});

test("it runs in a module worker", async () => {
  const program = `
    import { parentPort, workerData } from "node:worker_threads";
    import { load } from ${JSON.stringify(new URL("../client.js", import.meta.url).href)};
    const module = await load(workerData);
    parentPort.postMessage(module.drawSecretKey("FUNCTIONAL_1024").parameters);
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { workerData: compiled });
  const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await worker.terminate();
  assert.equal(answer, "FUNCTIONAL_1024");
});

test("a module comes from a response, too", async () => {
  const bytes = await readFile(MODULE);
  const response = new Response(bytes, { headers: { "content-type": "application/wasm" } });
  assert.equal((await load(response)).drawSecretKey("GATES_DEFAULT").parameters, "GATES_DEFAULT");
  assert.equal((await load(bytes)).drawSecretKey("GATES_DEFAULT").parameters, "GATES_DEFAULT");
});
