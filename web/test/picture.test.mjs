/** A person's picture becomes what the native client makes of it. `.ci/wasm` makes the fixtures. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { fit, withBrightInk } from "../page/picture.js";

const FIXTURES = new URL("../../target/wasm/fixtures/", import.meta.url);
const SCAN_WIDTH = 160;

const scan = new Uint8Array(await readFile(new URL("perceptron/scan", FIXTURES)));
const picture = { width: SCAN_WIDTH, height: scan.length / SCAN_WIDTH, pixels: scan };

test("a scan is fitted as the native client fits it, pixel for pixel", async () => {
  const fitted = fit(withBrightInk(picture), 28, 28);
  assert.ok(fitted);
  assert.deepEqual([fitted.width, fitted.height], [28, 28]);
  assert.ok((await readFile(new URL("perceptron/fitted", FIXTURES))).equals(fitted.pixels));
});

test("a picture as networks read it stays as it is, and a dim one of its size does not", async () => {
  const pixels = new Uint8Array(await readFile(new URL("pixels", FIXTURES)));
  const digit = { width: 28, height: 28, pixels };
  assert.deepEqual(fit(withBrightInk(digit), 28, 28), digit);
  const inverted = { ...digit, pixels: pixels.map((grey) => 255 - grey) };
  assert.deepEqual(fit(withBrightInk(inverted), 28, 28), digit);
  const dim = fit({ ...digit, pixels: pixels.map((grey) => grey >> 2) }, 28, 28);
  assert.equal(Math.max(...(dim?.pixels ?? [])), 255);
});

test("paper without ink is no picture", () => {
  assert.equal(fit({ width: 50, height: 40, pixels: new Uint8Array(2000).fill(240) }, 28, 28), undefined);
});
