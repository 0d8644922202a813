/** The client of the HTTP interface, against a service that fails in the ways in which networks and services fail. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Service, ServiceError, UploadLostError } from "../page/service.js";

const ID = "0123456789abcdef0123456789abcdef";
const PART = 1 << 20;

/** A key in pieces that can be made once. */
function* pieces() {
  for (let piece = 0; piece < 7; piece += 1) yield new Uint8Array(400_000).fill(piece + 1);
}
const TOTAL = 7 * 400_000;
const WHOLE = Buffer.concat([...pieces()]);

/** A service with one key, which does to requests what a list of faults says: one a request, in their order. */
class Faulty {
  received = Buffer.alloc(0);
  /** @type {string[]} */
  requests = [];

  /** @param {("" | "lost" | "unanswered" | "half" | "restored" | "busy")[]} faults */
  constructor(faults) {
    this.faults = faults;
  }

  /** @type {typeof fetch} */
  fetch = async (address, { method, headers, body, signal } = {}) => {
    signal?.throwIfAborted();
    const [fault, sent] = [this.faults.shift() ?? "", Buffer.from(/** @type {Uint8Array} */ (body ?? new Uint8Array()))];
    const range = new Headers(headers).get("content-range");
    this.requests.push(`${method} ${new URL(String(address)).pathname}${range ? ` ${range}` : ""}`);
    if (fault === "lost") throw new TypeError("network");
    if (fault === "busy") return Response.json({ error: "come later" }, { status: 429, headers: { "retry-after": "1" } });
    if (fault === "restored") this.received = Buffer.alloc(0);
    if (method === "PUT") {
      const first = Number(range?.match(/bytes (\d+)-/)?.[1]);
      if (first !== this.received.length) return Response.json({ ...this.#key(), error: "elsewhere" }, { status: 409 });
      this.received = Buffer.concat([this.received, fault === "half" ? sent.subarray(0, 1000) : sent]);
      if (fault === "half" || fault === "unanswered") throw new TypeError("network");
    }
    return Response.json(this.#key());
  };

  #key() {
    return { id: ID, bytes: TOTAL, received: this.received.length, complete: this.received.length === TOTAL };
  }
}

/** @param {Faulty} faulty @param {AbortSignal} [signal] */
async function upload(faulty, signal) {
  /** @type {number[]} */
  const progress = [];
  /** @type {string[]} */
  const pauses = [];
  const service = new Service("https://service.test/", { fetch: faulty.fetch, onPause: ({ message }) => pauses.push(message) });
  await service.uploadKey(ID, TOTAL, pieces(), { onProgress: (received) => progress.push(received), signal });
  return { progress, pauses };
}

test("a key goes in parts of a mebibyte", async () => {
  const faulty = new Faulty([]);
  const { progress, pauses } = await upload(faulty);
  assert.ok(faulty.received.equals(WHOLE));
  assert.deepEqual(progress, [PART, 2 * PART, TOTAL]);
  assert.deepEqual(pauses, []);
  assert.equal(faulty.requests[1], `PUT /v2/keys/${ID} bytes ${PART}-${2 * PART - 1}/${TOTAL}`);
});

for (const [what, faults, requests] of /** @type {const} */ ([
  ["a part that never came is sent again", ["", "lost"], 5],
  ["a part whose answer was lost is not", ["", "unanswered"], 4],
  ["of a part that came in half the rest is sent", ["", "half"], 5],
  ["a service that wants a pause gets it", ["", "busy"], 5],
])) {
  test(what, async () => {
    const faulty = new Faulty([...faults]);
    const { pauses } = await upload(faulty);
    assert.ok(faulty.received.equals(WHOLE));
    assert.equal(faulty.requests.length, requests);
    assert.equal(faulty.requests[2], `GET /v2/keys/${ID}`);
    assert.equal(pauses.length, 1);
  });
}

test("what the service lost cannot be sent again", async () => {
  await assert.rejects(upload(new Faulty(["", "restored"])), UploadLostError);
});

test("a key that another client has completed in the meantime is left as it is", async () => {
  const faulty = new Faulty([]);
  faulty.received = WHOLE;
  const { progress } = await upload(faulty);
  assert.deepEqual(progress, [TOTAL]);
});

test("an upload is cancelled in a pause", async () => {
  const [faulty, controller] = [new Faulty(["lost"]), new AbortController()];
  setTimeout(() => controller.abort(), 100);
  await assert.rejects(upload(faulty, controller.signal), { name: "AbortError" });
  assert.equal(faulty.requests.length, 1);
});

test("refusals are one line, with their status; the token goes with each request", async () => {
  /** @type {string[]} */
  const tokens = [];
  /** @type {typeof fetch} */
  const fetch = async (_, { headers } = {}) => {
    tokens.push(new Headers(headers).get("authorization") ?? "");
    return Response.json({ error: "no such\n\u001b[31mmodel" }, { status: 404 });
  };
  const service = new Service("https://service.test/", { fetch, token: "open sesame" });
  await assert.rejects(service.specification("lenet"), (error) => {
    assert.ok(error instanceof ServiceError);
    assert.deepEqual([error.message, error.status], ["no such [31mmodel", 404]);
    return true;
  });
  assert.equal(await service.key(ID), undefined);
  await service.deleteKey(ID);
  assert.deepEqual(new Set(tokens), new Set(["Bearer open sesame"]));
});

test("an address is one with and without a slash at its end", async () => {
  /** @type {string[]} */
  const asked = [];
  /** @type {typeof fetch} */
  const fetch = async (address) => {
    asked.push(String(address));
    return Response.json({ models: [] });
  };
  for (const base of ["https://service.test", "https://service.test/bnn", new URL("https://service.test/bnn/")]) {
    assert.deepEqual(await new Service(base, { fetch }).models(), []);
  }
  assert.deepEqual(asked, ["https://service.test/v2/models", "https://service.test/bnn/v2/models", "https://service.test/bnn/v2/models"]);
});

test("a job is asked about until it ends", async () => {
  const states = ["queued", "running", "done"];
  /** @type {typeof fetch} */
  const fetch = async (address) =>
    String(address).endsWith("/result") ? new Response(Uint8Array.of(1, 2, 3)) : Response.json({ id: "j", state: states.shift() });
  const service = new Service("https://service.test/", { fetch });
  /** @type {string[]} */
  const seen = [];
  assert.deepEqual(await service.scores("j", { onProgress: ({ state }) => seen.push(state) }), Uint8Array.of(1, 2, 3));
  assert.deepEqual(seen, ["queued", "running", "done"]);
  states.push("failed");
  await assert.rejects(service.scores("j"), /the work failed/);
});
