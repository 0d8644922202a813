/**
 * The service's HTTP interface (docs/service.md) for browsers and Node: models, client specifications, cloud keys and jobs.
 *
 *     import { Service } from "./service.js";
 *     const service = new Service("https://example.org/", { token });
 *     const { id, parameters } = key;                                       // a secret key of client.js
 *     const cloudKey = key.cloudKey();
 *     await service.uploadKey(id, cloudKey.length, cloudKey.pieces());
 *     const job = await service.submit("sign-cnn", image);                  // an encrypted picture
 *     const scores = await service.scores(job.id, { onProgress: console.log });
 *
 * Every request may be sent again, and is, where the network or the service fails for a while.
 *
 * @module
 */

/**
 * A model, as the service describes it.
 *
 * @typedef {object} Model
 * @property {string} name
 * @property {string} description
 * @property {string} digest
 * @property {{ engine: "functional" | "gates", parameters: string, bootstraps: number | null }[]} engines
 */

/**
 * A cloud key, as the service has it.
 *
 * @typedef {object} Key
 * @property {string} id
 * @property {string | null} parameters
 * @property {number} bytes Of the whole key.
 * @property {number} received
 * @property {boolean} complete
 */

/**
 * An encrypted picture that is being evaluated.
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {string} model
 * @property {string} key
 * @property {"queued" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} bootstraps Those done.
 * @property {number} total
 * @property {string | null} layer
 * @property {number | null} seconds_left
 * @property {string | null} error
 */

/**
 * What a request is, for whoever shows or counts them.
 *
 * @typedef {object} Sent
 * @property {string} method
 * @property {string} path
 * @property {string} what What the request carries or asks for, in words.
 * @property {number} bytes Those of its body.
 */

/** The service refused, or a job failed. */
export class ServiceError extends Error {
  /**
   * @param {string} message One line.
   * @param {number} status The HTTP status; 0 where a job failed.
   * @param {number} [retryAfter] Seconds after which the service may have another answer.
   */
  constructor(message, status, retryAfter = 0) {
    super(message);
    this.name = "ServiceError";
    this.status = status;
    this.retryAfter = retryAfter || 0;
  }
}

/** No answer came, after all attempts. */
export class UnreachableError extends Error {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = "UnreachableError";
  }
}

/** The service lost the beginning of a cloud key, whose pieces are gone. The key has to be made anew. */
export class UploadLostError extends Error {
  constructor() {
    super("the service lost the first part of the cloud key");
    this.name = "UploadLostError";
  }
}

/** Bytes of a part of a cloud key. Small enough to show progress on a slow line, and to be sent again without much loss. */
const PART = 1 << 20;

/** Milliseconds before another attempt: half a minute in all. */
const PAUSES = [500, 1000, 2000, 4000, 8000, 15000];

/** Milliseconds that are waited at the most, whatever the service asks for. */
const LONGEST_PAUSE = 60_000;

/** Milliseconds that a request may take, of which a part of a key needs the most. */
const PATIENCE = 120_000;

/** Seconds after which the service tells a job's progress. */
const WAIT = 1;

/** Statuses after which the same request may succeed a little later. */
const TEMPORARY = [408, 429, 502, 503, 504];

/** The status of a part of a key that does not continue what was received. */
const CONFLICT = 409;

/** A service at an address. */
export class Service {
  #base;
  #fetch;
  #onSent;
  #onPause;

  /**
   * @param {string | URL} base The address at which the service's paths begin.
   * @param {object} [options]
   * @param {string} [options.token] Sent with each request.
   * @param {typeof fetch} [options.fetch] In place of the platform's.
   * @param {(sent: Sent) => void} [options.onSent] Told of each request before it is sent.
   * @param {(error: Error, seconds: number) => void} [options.onPause] Told why and how long before another attempt.
   */
  constructor(base, { token = "", fetch = globalThis.fetch, onSent = () => {}, onPause = () => {} } = {}) {
    this.#base = new URL(base);
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/";
    this.#fetch = fetch.bind(globalThis);
    this.#onSent = onSent;
    this.#onPause = onPause;
    /** A secret between the client and the service; without one it is empty. */
    this.token = token;
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<Model[]>}
   */
  async models(signal) {
    return json(await this.#ask({ method: "GET", path: "v2/models", what: "asks which models there are" }, signal)).models;
  }

  /**
   * The client specification of a model, for `Module.readSpecification`.
   *
   * @param {string} model
   * @param {AbortSignal} [signal]
   */
  specification(model, signal) {
    const path = `v2/models/${encodeURIComponent(model)}/client`;
    return this.#ask({ method: "GET", path, what: "asks how pictures are encoded" }, signal);
  }

  /**
   * What the service has of a cloud key; undefined where that is nothing.
   *
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Key | undefined>}
   */
  async key(id, signal) {
    const answer = await unlessMissing(this.#ask(keyQuestion(id), signal));
    return answer && json(answer);
  }

  /**
   * Uploads a cloud key in parts, from its first byte. A part is kept until the service has it: pieces cannot be made again.
   *
   * @param {string} id
   * @param {number} total Bytes of the whole key.
   * @param {Iterable<Uint8Array<ArrayBuffer>>} pieces The key, in pieces of any sizes.
   * @param {object} [options]
   * @param {(received: number) => void} [options.onProgress] Told how many bytes the service has.
   * @param {AbortSignal} [options.signal]
   * @throws {UploadLostError} When the service lost what it had received. The key has to be made anew.
   */
  async uploadKey(id, total, pieces, { onProgress = () => {}, signal } = {}) {
    let received = 0;
    for (const part of parts(pieces)) {
      received = await this.#uploadPart(id, part, received, total, signal);
      onProgress(received);
      // Another client of the same key was faster.
      if (received === total) break;
    }
  }

  /**
   * Forgets a cloud key, with its jobs. One that is not there is forgotten already.
   *
   * @param {string} id
   * @param {AbortSignal} [signal]
   */
  async deleteKey(id, signal) {
    const request = { method: "DELETE", path: `v2/keys/${id}`, what: "has the cloud key forgotten" };
    await unlessMissing(this.#ask(request, signal));
  }

  /**
   * Gives an encrypted picture to a model.
   *
   * @param {string} model
   * @param {Uint8Array<ArrayBuffer>} image The file of the encrypted picture.
   * @param {AbortSignal} [signal] Prevents another attempt. The answer to one is waited for: without it, its job could not be deleted.
   * @returns {Promise<Job>}
   */
  async submit(model, image, signal) {
    const path = `v2/models/${encodeURIComponent(model)}/jobs`;
    const request = { method: "POST", path, what: "encrypted picture", body: image };
    return json(await this.#persist(() => this.#send(request, undefined), signal, TEMPORARY));
  }

  /**
   * Waits for a job's encrypted scores.
   *
   * @param {string} id
   * @param {object} [options]
   * @param {(job: Job) => void} [options.onProgress]
   * @param {AbortSignal} [options.signal] Ends the waiting. The job goes on, until {@link deleteJob} cancels it.
   * @returns {Promise<Uint8Array<ArrayBuffer>>} Their file.
   */
  async scores(id, { onProgress = () => {}, signal } = {}) {
    for (;;) {
      const request = { method: "GET", path: `v2/jobs/${id}?wait=${WAIT}`, what: "asks how far the work is" };
      /** @type {Job} */
      const job = json(await this.#ask(request, signal));
      onProgress(job);
      if (job.state === "done") break;
      if (job.state === "failed") throw new ServiceError(oneLine(job.error ?? "the work failed"), 0);
      if (job.state === "cancelled") throw new ServiceError("the work was cancelled at the service", 0);
    }
    return this.#ask({ method: "GET", path: `v2/jobs/${id}/result`, what: "asks for the encrypted scores" }, signal);
  }

  /**
   * Cancels a job, and forgets it with its result.
   *
   * @param {string} id
   * @param {AbortSignal} [signal]
   */
  async deleteJob(id, signal) {
    const request = { method: "DELETE", path: `v2/jobs/${id}`, what: "has the picture and its scores forgotten" };
    await unlessMissing(this.#ask(request, signal));
  }

  /**
   * Sends a part of a key until the service has it. What came of an attempt that failed, the service tells.
   *
   * @param {string} id
   * @param {Uint8Array<ArrayBuffer>} part
   * @param {number} first
   * @param {number} total
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<number>} How many bytes the service has.
   */
  async #uploadPart(id, part, first, total, signal) {
    const end = first + part.length;
    let [received, asks] = [first, false];
    return this.#persist(async () => {
      if (asks) {
        const answer = await unlessMissing(this.#send(keyQuestion(id), signal));
        received = answer ? json(answer).received : 0;
        if (received >= end) return received;
        if (received < first) throw new UploadLostError();
      }
      asks = true;
      const body = part.subarray(received - first);
      const headers = { "content-range": `bytes ${received}-${end - 1}/${total}` };
      await this.#send({ method: "PUT", path: `v2/keys/${id}`, what: "cloud key", body, headers }, signal);
      return end;
    }, signal, [...TEMPORARY, CONFLICT]);
  }

  /**
   * Sends a request until it is answered.
   *
   * @param {Request} request
   * @param {AbortSignal | undefined} signal
   */
  #ask(request, signal) {
    return this.#persist(() => this.#send(request, signal), signal, TEMPORARY);
  }

  /**
   * Attempts something until it succeeds or there is no point.
   *
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal | undefined} signal
   * @param {readonly number[]} temporary The statuses after which another attempt may succeed.
   * @returns {Promise<T>}
   */
  async #persist(attempt, signal, temporary) {
    for (const pause of PAUSES) {
      try {
        return await attempt();
      } catch (error) {
        const refused = error instanceof ServiceError && temporary.includes(error.status);
        if (!refused && !(error instanceof UnreachableError)) throw error;
        const milliseconds = Math.max(pause, refused ? Math.min(1000 * error.retryAfter, LONGEST_PAUSE) : 0);
        this.#onPause(error, milliseconds / 1000);
        await sleep(milliseconds, signal);
      }
    }
    return attempt();
  }

  /**
   * Sends a request once.
   *
   * @param {Request} request
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<Uint8Array<ArrayBuffer>>} The body of the answer.
   */
  async #send({ method, path, what, body, headers }, signal) {
    signal?.throwIfAborted();
    this.#onSent({ method, path, what, bytes: body?.length ?? 0 });
    const patience = AbortSignal.timeout(PATIENCE);
    let response, answer;
    try {
      response = await this.#fetch(new URL(path, this.#base), {
        method,
        body,
        headers: {
          ...headers,
          ...(body && { "content-type": "application/octet-stream" }),
          ...(this.token && { authorization: `Bearer ${this.token}` }),
        },
        cache: "no-store",
        signal: signal ? AbortSignal.any([signal, patience]) : patience,
      });
      answer = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new UnreachableError("the service cannot be reached", { cause });
    }
    if (response.ok) return answer;
    const seconds = Number(response.headers.get("retry-after"));
    throw new ServiceError(refusal(answer) ?? `the service answers ${response.status}`, response.status, seconds);
  }
}

/** @typedef {Omit<Sent, "bytes"> & { body?: Uint8Array<ArrayBuffer>, headers?: Record<string, string> }} Request */

/**
 * @param {string} id
 * @returns {Request}
 */
function keyQuestion(id) {
  return { method: "GET", path: `v2/keys/${id}`, what: "asks how much of the cloud key is there" };
}

/**
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T | undefined>} Undefined where the service has no such thing.
 */
async function unlessMissing(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Pieces put together to parts that are worth a request each.
 *
 * @param {Iterable<Uint8Array<ArrayBuffer>>} pieces
 * @returns {Generator<Uint8Array<ArrayBuffer>, void, void>}
 */
function* parts(pieces) {
  let [part, filled] = [new Uint8Array(PART), 0];
  for (let piece of pieces) {
    while (piece.length > 0) {
      const taken = piece.subarray(0, PART - filled);
      part.set(taken, filled);
      filled += taken.length;
      piece = piece.subarray(taken.length);
      if (filled === PART) {
        yield part;
        [part, filled] = [new Uint8Array(PART), 0];
      }
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

/** @param {Uint8Array} body */
function json(body) {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new ServiceError("the answer is not that of a service of this kind", 0);
  }
}

/**
 * The line in which the service says why it refuses.
 *
 * @param {Uint8Array} body
 * @returns {string | undefined}
 */
function refusal(body) {
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body));
    return typeof error === "string" ? oneLine(error) : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\p{C}+/gu, " ").slice(0, 400);
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
