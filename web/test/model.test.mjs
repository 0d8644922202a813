/**
 * A client of a model in Node: it encrypts what the native client encrypts, byte for byte, and reads what a native server answers.
 *
 *     .ci/wasm                    # builds the module, makes the fixtures, and runs this
 *     cargo run --release -p web --example fixtures -- target/wasm/fixtures && node --test web/test/*.test.mjs
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { load } from "../client.js";
import { MODULE, isRefusal, seeds, spyOnMemories } from "./support.mjs";

/** What `web/examples/fixtures.rs` writes. */
const FIXTURES = fileURLToPath(new URL("../../target/wasm/fixtures/", import.meta.url));
/** The native command. */
const COMMAND = process.env.BNN ?? fileURLToPath(new URL("../../target/release/bnn", import.meta.url));
const COMPUTED = "perceptron";

/** @param {...string} names */
const fixture = (...names) => readFile(join(FIXTURES, ...names));

/** @type {import("../client.js").Module} */
let module;
/** @type {Uint8Array} */
let pixels;

before(async () => {
  module = await load(await WebAssembly.compile(await readFile(MODULE)));
  pixels = await fixture("pixels");
});

test("pictures for every model and parameter set are those of the native client, byte for byte", async (t) => {
  const models = (await readdir(FIXTURES, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  assert.ok(models.length >= 5);
  let count = 0;
  for (const { name } of models) {
    const specification = module.readSpecification(await fixture(name, "specification.json"));
    assert.deepEqual([specification.model, specification.labels.length], [name, 10]);
    for (const set of specification.parameterSets) {
      seeds(t, 1, 3);
      const key = module.drawSecretKey(set);
      const client = specification.client(key);
      const image = client.encrypt(specification.width, specification.height, pixels);
      assert.ok((await fixture(name, `${set}.image`)).equals(image), `${name}, ${set}`);
      [client, key].forEach((thing) => thing.release());
      t.mock.restoreAll();
      count += 1;
    }
    specification.release();
  }
  t.diagnostic(`${count} pictures; ${module.memoryBytes} bytes of memory`);
});

test("scores of a native server decrypt to what the native client reads", async (t) => {
  const specification = module.readSpecification(await fixture(COMPUTED, "specification.json"));
  const [set] = specification.parameterSets;
  seeds(t, 1);
  const client = specification.client(module.drawSecretKey(set));
  const { label, integers } = JSON.parse(await fixture(COMPUTED, `${set}.json`).then(String));
  const scores = await fixture(COMPUTED, `${set}.scores`);
  const decision = client.decrypt(scores);
  assert.deepEqual([decision.label, decision.name], [label, specification.labels[label]]);
  assert.deepEqual(decision.integers, integers.map(BigInt));
  assert.deepEqual(decision.scores, integers.map((/** @type {number} */ score) => score / 64), "6 fraction bits");
});

test("what is not of the model or of the key is refused", async (t) => {
  const refused = (/** @type {() => unknown} */ call, /** @type {string} */ blame, /** @type {RegExp} */ message) =>
    assert.throws(call, (error) => isRefusal(error, blame, message));
  const document = await fixture(COMPUTED, "specification.json");
  const [specification, other] = [document, await fixture("binarized-perceptron", "specification.json")].map((bytes) =>
    module.readSpecification(bytes),
  );
  const [set] = specification.parameterSets;
  seeds(t, 1);
  const key = module.drawSecretKey(set);
  t.mock.restoreAll();
  const scores = await fixture(COMPUTED, `${set}.scores`);

  refused(() => other.client(key).decrypt(scores), "peer", /encrypted scores/);
  refused(() => specification.client(module.drawSecretKey(set)).decrypt(scores), "peer", /another key/);
  refused(() => specification.client(key).decrypt(scores.subarray(1)), "peer", /magic/);
  refused(() => specification.client(key).encrypt(28, 27, pixels), "caller", /784 pixels/);
  refused(() => specification.client(key).encrypt(14, 56, pixels), "caller", /14/);
  for (const [look, message] of /** @type {const} */ ([
    [() => 0, /blank/],
    [(/** @type {number} */ grey) => 255 - grey, /inverted/],
    [(/** @type {number} */ grey) => grey >> 3, /dim/],
  ])) {
    const picture = pixels.map(look);
    refused(() => specification.client(key).encrypt(28, 28, picture), "caller", message);
    // Half as bright, so that no more pixels are set than the model accepts.
    const dark = picture.map((grey) => grey >> 1);
    assert.ok(specification.client(key).encryptAsIs(28, 28, dark).length > 784);
  }
  refused(() => module.readSpecification(document.subarray(0, 100)), "peer", /line 1/);
  const altered = Buffer.from(String(document).replace('"labels":["0"', '"labels":["8"'));
  refused(() => module.readSpecification(altered), "peer", /checksum/);
  const { parameterSets } = specification;
  specification.release();
  refused(() => specification.client(key), "caller", /not the handle of a client specification/);
  assert.equal(parameterSets[0], set);
});

test("neither picture nor scores leave a trace in the module's memory", async (t) => {
  const [memories, own] = [spyOnMemories(t), await load(await WebAssembly.compile(await readFile(MODULE)))];
  const specification = own.readSpecification(await fixture(COMPUTED, "specification.json"));
  seeds(t, 1, 3);
  const client = specification.client(own.drawSecretKey(specification.parameterSets[0]));
  const scores = await fixture(COMPUTED, `${specification.parameterSets[0]}.scores`);
  const holds = (/** @type {Buffer} */ trace) => Buffer.from(memories[0].buffer).includes(trace);

  const row = Buffer.from(pixels.subarray(28 * 9, 28 * 10));
  assert.ok(row.some((pixel) => pixel > 0 && pixel < 255), "a row that nothing else looks like");
  client.encrypt(specification.width, specification.height, pixels);
  assert.ok(!holds(row), "the picture");

  const { integers } = client.decrypt(scores);
  // The allocator writes into the first bytes of what is freed.
  assert.ok(!holds(Buffer.from(BigInt64Array.from(integers).buffer, 32)), "the scores");
});

test("a digit: key, cloud key and picture from here, scores from the native command, the label here", async (t) => {
  if (!existsSync(COMMAND)) return t.skip(`not run: no command at ${COMMAND}`);
  const folder = await mkdtemp(join(tmpdir(), "bnn-web-"));
  t.after(() => rm(folder, { recursive: true }));
  const specification = module.readSpecification(await fixture(COMPUTED, "specification.json"));
  const key = module.drawSecretKey(specification.parameterSets[0]);
  const cloudKey = await open(join(folder, "cloud.key"), "w");
  for (const piece of key.cloudKey().pieces()) await cloudKey.write(piece);
  await cloudKey.close();
  const client = specification.client(key);
  await writeFile(join(folder, "7.enc"), client.encrypt(specification.width, specification.height, pixels));
  await promisify(execFile)(COMMAND, ["infer", "7.enc", "--cloud-key", "cloud.key", "--model", COMPUTED], { cwd: folder });
  const { name, label, scores } = client.decrypt(await readFile(join(folder, "7.scores")));
  assert.deepEqual([name, label, scores.length], ["7", 7, 10]);
});
