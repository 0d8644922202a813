/**
 * What holds the secret key: the module, and all that is sent to the service. The page gets steps, labels and scores from here, and
 * the key only when a person exports it.
 *
 * A message to the worker is a {@link Call}. It answers each with an {@link Answer}, and tells {@link News} in between.
 *
 * @module
 */

import { load } from "./client.js";
import { keys, readings } from "./kept.js";
import { Service, ServiceError, UnreachableError, UploadLostError } from "./service.js";

/**
 * @typedef {import("./kept.js").Reading} Reading
 * @typedef {Pick<Reading, "model" | "width" | "height" | "pixels">} Question A picture, and the model that is to read it.
 * @typedef {{ label: number, name: string, scores: number[] }} Scores
 *
 * A model that the page can use.
 *
 * @typedef {object} Choice
 * @property {string} name
 * @property {string} description
 * @property {readonly string[]} labels
 * @property {number} width
 * @property {number} height
 * @property {string} parameters Of the key that is used.
 * @property {number | null} bootstraps
 *
 * @typedef {"key" | "encrypt" | "upload" | "send" | "evaluate" | "decrypt"} Step
 *
 * @typedef {{ id: number, command: keyof typeof commands, argument: any }} Call
 * @typedef {{ id: number, result: any } | { id: number, error: { name: string, message: string, status?: number } }} Answer
 *
 * @typedef {object} StepNews How far a classification is.
 * @property {"step"} kind
 * @property {Step} step
 * @property {"begun" | "done"} state
 * @property {string} [note]
 * @property {{ done: number, total: number }} [progress]
 * @property {number} memory Bytes of the module's memory.
 *
 * @typedef {{ kind: "sent", sent: import("./service.js").Sent }} SentNews
 * @typedef {{ kind: "pause", message: string, seconds: number }} PauseNews
 * @typedef {StepNews | SentNews | PauseNews | { kind: "ready" }} News
 */

/** How often a cloud key or a job is begun anew that the service has lost. */
const ATTEMPTS = 3;

/** Milliseconds for telling the service that a job is not wanted any more. */
const FAREWELL = 5000;

/** Milliseconds in which a page that was left has let go of its reading. A page that is open never lets go. */
const RELEASE = 2000;

/** This page among those that keep a reading. */
const PAGE = `page ${performance.timeOrigin}`;

const module = await load(fetch(new URL("client.wasm", import.meta.url)));

const service = new Service(new URL("./", import.meta.url), {
  onSent: (sent) => tell({ kind: "sent", sent }),
  onPause: ({ message }, seconds) => tell({ kind: "pause", message, seconds }),
});

/** @type {Map<string, { specification: import("./client.js").Specification, parameters: string }>} */
const models = new Map();

// As long as this page is open, no other takes over its reading.
alone(PAGE, new AbortController().signal, () => new Promise(() => {}));

/** Ends what runs. */
let running = new AbortController();

const commands = {
  /**
   * The models that read grey pictures.
   *
   * @param {{ token: string }} argument
   * @returns {Promise<Choice[]>}
   */
  async open({ token }) {
    const signal = begin();
    service.token = token;
    const choices = [];
    for (const model of await service.models(signal)) {
      models.get(model.name)?.specification.release();
      const specification = module.readSpecification(await service.specification(model.name, signal));
      const parameters = specification.parameterSets[0];
      models.set(model.name, { specification, parameters });
      const { labels, width, height, channels } = specification;
      const { bootstraps = null } = model.engines.find((engine) => engine.parameters === parameters) ?? {};
      const { name, description } = model;
      if (channels === 1) choices.push({ name, description, labels, width, height, parameters, bootstraps });
    }
    return choices;
  },

  /**
   * @param {Question} question
   * @returns {Promise<Scores>}
   */
  async classify({ model, width, height, pixels }) {
    const signal = begin();
    return withClient(model, async (key, client) => {
      step("encrypt", "begun");
      const image = client.encrypt(width, height, pixels);
      // Only a page that is loaded again needs it. Where there is no room for it, the picture is read all the same.
      await readings.put(PAGE, { model, key: key.id, width, height, pixels, image }).catch(() => {});
      return read(model, key, client, image, signal);
    }).finally(() => pixels.fill(0));
  },

  /**
   * A picture whose scores have not come, to this page or to one that was left. From now on it is this page's.
   *
   * @returns {Promise<Question | undefined>}
   */
  async unfinished() {
    for (const name of [PAGE, ...(await readings.names())]) {
      if (name !== PAGE) await takeOver(name);
      const reading = await readings.get(PAGE);
      if (!reading) continue;
      const { model, key, width, height, pixels } = reading;
      if (models.has(model) && (await keptId(known(model).parameters)) === key) return { model, width, height, pixels };
      pixels.fill(0);
      // Nobody can decrypt its scores any more.
      await readings.delete(PAGE);
    }
    return undefined;
  },

  /**
   * Goes on with the picture that was unfinished.
   *
   * @returns {Promise<Scores>}
   */
  async goOn() {
    const signal = begin();
    const reading = await readings.get(PAGE);
    if (!reading) throw new Error("no picture is unfinished");
    reading.pixels.fill(0);
    return withClient(reading.model, (key, client) => read(reading.model, key, client, reading.image, signal));
  },

  /** Ends what runs. */
  async cancel() {
    running.abort(new DOMException("cancelled", "AbortError"));
  },

  /**
   * The identity of the key for a model; undefined before one is drawn.
   *
   * @param {{ model: string }} argument
   */
  async identify({ model }) {
    return keptId(known(model).parameters);
  },

  /**
   * The file of the key for a model.
   *
   * @param {{ model: string }} argument
   */
  async exportKey({ model }) {
    return keys.get(known(model).parameters);
  },

  /**
   * Keeps a key in the place of the one of its parameter set, whose cloud key is forgotten.
   *
   * @param {{ file: Uint8Array<ArrayBuffer> }} argument
   * @returns {Promise<{ id: string, parameters: string }>}
   */
  async importKey({ file }) {
    const signal = begin();
    const key = module.readSecretKey(file);
    const { id, parameters } = key;
    key.release();
    if (![...models.values()].some((model) => model.parameters === parameters)) {
      throw new Error(`no model here is used with a key of ${parameters}`);
    }
    const former = await keptId(parameters);
    await keys.put(parameters, file);
    file.fill(0);
    if (former !== undefined && former !== id) await forgetAbout(former, "The key is imported", signal);
    return { id, parameters };
  },

  /**
   * Forgets the key for a model here, and its cloud key at the service.
   *
   * @param {{ model: string }} argument
   */
  async forgetKey({ model }) {
    const signal = begin();
    const { parameters } = known(model);
    const id = await keptId(parameters);
    if (id === undefined) return;
    await keys.delete(parameters);
    await forgetAbout(id, "The secret key is forgotten here", signal);
  },
};

self.addEventListener("message", async ({ data }) => {
  const { id, command, argument } = /** @type {Call} */ (data);
  /** @type {Answer} */
  let answer;
  try {
    answer = { id, result: await commands[command](argument) };
  } catch (error) {
    const { name, message } = error instanceof Error || error instanceof DOMException ? error : new Error(String(error));
    answer = { id, error: { name, message, status: error instanceof ServiceError ? error.status : undefined } };
  }
  postMessage(answer);
});
tell({ kind: "ready" });

function begin() {
  running = new AbortController();
  return running.signal;
}

/** @param {string} name */
function known(name) {
  const model = models.get(name);
  if (!model) throw new Error("no model is chosen");
  return model;
}

/**
 * Does something with the key and the client for a model.
 *
 * @template T
 * @param {string} model
 * @param {(key: import("./client.js").SecretKey, client: import("./client.js").Client) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withClient(model, work) {
  const { specification, parameters } = known(model);
  step("key", "begun");
  const key = await obtainKey(parameters);
  try {
    step("key", "done", { note: (await keys.isLasting()) ? "kept in this browser" : "lasts until this page is closed" });
    const client = specification.client(key);
    try {
      return await work(key, client);
    } finally {
      client.release();
    }
  } finally {
    key.release();
  }
}

/**
 * The key that is kept for a parameter set. The first time, it is drawn.
 *
 * @param {string} parameters
 */
async function obtainKey(parameters) {
  for (;;) {
    const kept = await keptKey(parameters);
    if (kept) return kept;
    const key = module.drawSecretKey(parameters);
    const file = key.toBytes();
    const isKept = await keys.add(parameters, file);
    file.fill(0);
    if (isKept) return key;
    // Another page has drawn one in the meantime.
    key.release();
  }
}

/** @param {string} parameters */
async function keptKey(parameters) {
  const file = await keys.get(parameters);
  if (!file) return undefined;
  try {
    return module.readSecretKey(file);
  } finally {
    file.fill(0);
  }
}

/** @param {string} parameters */
async function keptId(parameters) {
  const key = await keptKey(parameters);
  const id = key?.id;
  key?.release();
  return id;
}

/**
 * Forgets what belongs to a key that is not kept any more: pictures here, and the cloud key at the service.
 *
 * @param {string} id
 * @param {string} done What holds even where the service cannot be told.
 * @param {AbortSignal} signal
 */
async function forgetAbout(id, done, signal) {
  for (const name of await readings.names()) {
    if ((await readings.get(name))?.key === id) await readings.delete(name);
  }
  try {
    await service.deleteKey(id, signal);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${done}, but the service still has the cloud key ${id}: ${reason}`, { cause });
  }
}

/**
 * Makes the reading of a page that was left this page's.
 *
 * @param {string} page
 */
async function takeOver(page) {
  try {
    await alone(page, AbortSignal.timeout(RELEASE), async () => {
      const reading = await readings.get(page);
      if (reading) await readings.put(PAGE, reading);
      await readings.delete(page);
    });
  } catch (error) {
    // That page is open.
    if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
  }
}

/**
 * The scores of an encrypted picture, which then is not kept any more.
 *
 * @param {string} model
 * @param {import("./client.js").SecretKey} key
 * @param {import("./client.js").Client} client
 * @param {Uint8Array<ArrayBuffer>} image
 * @param {AbortSignal} signal
 * @returns {Promise<Scores>}
 */
async function read(model, key, client, image, signal) {
  step("encrypt", "done", { note: amount(image.length) });
  try {
    const encrypted = await evaluate(model, key, image, signal);
    step("decrypt", "begun");
    const { label, name, scores } = client.decrypt(encrypted);
    step("decrypt", "done");
    await readings.delete(PAGE);
    return { label, name, scores };
  } catch (error) {
    // What was not answered, or for want of a token, may be answered later.
    const isOpen = error instanceof UnreachableError || (error instanceof ServiceError && error.status === 401);
    if (!isOpen) await readings.delete(PAGE);
    throw error;
  }
}

/**
 * The encrypted scores of an encrypted picture.
 *
 * @param {string} model
 * @param {import("./client.js").SecretKey} key
 * @param {Uint8Array<ArrayBuffer>} image
 * @param {AbortSignal} signal
 */
async function evaluate(model, key, image, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await provideCloudKey(key, signal);
      return await evaluateWithKey(model, image, signal);
    } catch (error) {
      if (attempt === ATTEMPTS || !isLost(error)) throw error;
    }
  }
}

/**
 * Whether the service has lost what it had: a part of a key, a job, or (which it says of an image) a key.
 *
 * @param {unknown} error
 */
function isLost(error) {
  return error instanceof UploadLostError || (error instanceof ServiceError && [404, 422].includes(error.status));
}

/**
 * Uploads the cloud key, unless the service has it. One page does so at a time, for each would upload another.
 *
 * @param {import("./client.js").SecretKey} key
 * @param {AbortSignal} signal
 */
async function provideCloudKey(key, signal) {
  const { id } = key;
  step("upload", "begun");
  const note = await alone(`cloud key ${id}`, signal, async () => {
    if ((await service.key(id, signal))?.complete) return "the service has it";
    // What an earlier page has sent of one cannot be continued: this one will have other bytes.
    const cloudKey = key.cloudKey();
    const total = cloudKey.length;
    const onProgress = (/** @type {number} */ done) =>
      step("upload", "begun", { note: `${amount(done)} of ${amount(total)}`, progress: { done, total } });
    await service.uploadKey(id, total, cloudKey.pieces(), { onProgress, signal });
    return amount(total);
  });
  step("upload", "done", { note });
}

/**
 * Does something while no other page does what has the same name.
 *
 * @template T
 * @param {string} name
 * @param {AbortSignal} signal Ends the waiting.
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function alone(name, signal, work) {
  let isBegun = false;
  const begin = () => {
    isBegun = true;
    return work();
  };
  try {
    return await navigator.locks.request(name, { signal }, begin);
  } catch (error) {
    if (isBegun || signal.aborted) throw error;
    // Browsers have locks for secure contexts only (https, and this machine), and none for sites that may keep nothing.
    return work();
  }
}

/**
 * @param {string} model
 * @param {Uint8Array<ArrayBuffer>} image
 * @param {AbortSignal} signal
 */
async function evaluateWithKey(model, image, signal) {
  step("send", "begun");
  const { id } = await service.submit(model, image, signal);
  step("send", "done", { note: amount(image.length) });
  step("evaluate", "begun");
  let scores;
  try {
    scores = await service.scores(id, { onProgress: showJob, signal });
    step("evaluate", "done", { note: `${amount(scores.length)} of encrypted scores` });
    return scores;
  } finally {
    // Nobody else has a use for it. A job that was lost may be begun again, under the same name.
    if (scores || signal.aborted) service.deleteJob(id, AbortSignal.timeout(FAREWELL)).catch(() => {});
  }
}

/** @param {import("./service.js").Job} job */
function showJob({ state, bootstraps, total, seconds_left: seconds }) {
  const left = seconds === null ? "" : `, ${duration(seconds)} left`;
  const note = state === "queued" ? `waits for its turn${left}` : `${bootstraps} of ${total} bootstraps${left}`;
  step("evaluate", "begun", { note, progress: { done: bootstraps, total } });
}

/**
 * @param {Step} name
 * @param {"begun" | "done"} state
 * @param {Pick<StepNews, "note" | "progress">} [more]
 */
function step(name, state, more) {
  tell({ kind: "step", step: name, state, memory: module.memoryBytes, ...more });
}

/** @param {News} news */
function tell(news) {
  postMessage(news);
}

/** @param {number} bytes */
function amount(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} seconds */
function duration(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`;
}
