/**
 * The interface: a picture, the steps of reading it, its scores, and what left this machine. Secrets and requests are the worker's.
 *
 * @module
 */

import { fit, greyOf, greyOfData, withBrightInk } from "./picture.js";

/**
 * @typedef {import("./picture.js").Picture} Picture
 * @typedef {import("./worker.js").Choice} Choice
 * @typedef {import("./worker.js").StepNews} StepNews
 */

const DEFAULT_MODEL = "sign-cnn";
const SAMPLES = 10;
const TOKEN = "bnn-tfhe token";
const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** The width of a stroke, and of the least that is drawn, as shares of the canvas. */
const STROKE = 1 / 14;

const [drawing, prepared] = [canvas("drawing"), canvas("prepared")];
const [pen, preview] = [context(drawing), context(prepared)];
const [clear, classify, cancel] = [button("clear"), button("classify"), button("cancel")];
const [exporting, forget] = [button("export"), button("forget")];
const [file, importing, token] = [input("file"), input("import"), input("token")];
const model = /** @type {HTMLSelectElement} */ (element("model"));

/** @type {Choice[]} */
let choices = [];

/** What the network would get. @type {Picture | undefined} */
let picture;

/** Whether strokes are on the canvas, and not a picture of a file. */
let isDrawn = true;

/** Whether the worker has something to do. */
let busy = true;

/** Whether that is the picture, which then stays as it is. */
let reading = false;

// The worker.

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

/** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
const calls = new Map();
let lastCall = 0;

worker.addEventListener("message", ({ data }) => {
  if (data.kind === "ready") open();
  else if (data.kind === "step") showStep(data);
  else if (data.kind === "sent") showSent(data.sent);
  else if (data.kind === "pause") say(`${sentence(data.message)} Another attempt follows in ${Math.ceil(data.seconds)} s.`, "failed");
  else answer(data);
});
worker.addEventListener("error", ({ message }) => {
  busy = true;
  update();
  say(`The part of this page that encrypts has stopped${message ? `: ${message}` : ""}. Load the page again.`, "failed");
});

/** @param {import("./worker.js").Answer} data */
function answer(data) {
  const call = calls.get(data.id);
  calls.delete(data.id);
  if ("error" in data) call?.reject(Object.assign(new Error(data.error.message), data.error));
  else call?.resolve(data.result);
}

/**
 * @param {import("./worker.js").Call["command"]} command
 * @param {object} [argument]
 * @param {Transferable[]} [transfer]
 * @returns {Promise<any>}
 */
function call(command, argument = {}, transfer = []) {
  lastCall += 1;
  const id = lastCall;
  return new Promise((resolve, reject) => {
    calls.set(id, { resolve, reject });
    worker.postMessage({ id, command, argument }, transfer);
  });
}

/**
 * Has the worker do something. What goes wrong is said in one line.
 *
 * @param {() => Promise<void>} work
 */
async function run(work) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  busy = true;
  update();
  // Who uses the keyboard is at a button that can be pressed.
  if (focused?.matches(":disabled")) cancel.focus({ preventScroll: true });
  try {
    await work();
  } catch (error) {
    const { name, message, status } = /** @type {Error & { status?: number }} */ (error);
    if (name === "AbortError") say("Cancelled.");
    else say(`${sentence(message)}${choices.length > 0 || status === 401 ? "" : " Load the page again."}`, "failed");
    if (status === 401) token.focus();
  }
  document.querySelectorAll("#steps .begun").forEach((step) => step.classList.remove("begun"));
  busy = reading = false;
  const isWaiting = document.activeElement === cancel;
  update();
  if (isWaiting) focused?.focus({ preventScroll: true });
}

// Models.

function open() {
  return run(async () => {
    choices = await call("open", { token: token.value });
    model.replaceChildren(
      ...choices.map(({ name, bootstraps }) => new Option(bootstraps ? `${name} (${bootstraps} bootstraps)` : name, name)),
    );
    if (choices.some(({ name }) => name === DEFAULT_MODEL)) model.value = DEFAULT_MODEL;
    await choose();
    /** @type {import("./worker.js").Question | undefined} */
    const unfinished = await call("unfinished");
    if (unfinished) await goOn(unfinished);
    else say(choices.length > 0 ? "Ready." : "The service has no model for grey pictures.");
  });
}

function chosen() {
  return choices.find(({ name }) => name === model.value);
}

async function choose() {
  const choice = chosen();
  element("description").textContent = choice ? sentence(choice.description) : "";
  element("size").textContent = choice ? `${choice.width} × ${choice.height} pixels` : "";
  if (choice && (picture?.width !== choice.width || picture?.height !== choice.height)) forgetPicture();
  await showKey();
}

// The picture.

/** @param {Picture} source With bright ink. It is overwritten. */
function take(source) {
  const { width, height } = chosen() ?? { width: 28, height: 28 };
  picture?.pixels.fill(0);
  picture = fit(source, width, height);
  source.pixels.fill(0);
  showPrepared(width, height);
  reset();
  update();
}

function forgetPicture() {
  picture?.pixels.fill(0);
  picture = undefined;
  wipe();
  const { width, height } = chosen() ?? { width: 28, height: 28 };
  showPrepared(width, height);
  reset();
  update();
}

function wipe() {
  pen.fillStyle = "black";
  pen.fillRect(0, 0, drawing.width, drawing.height);
  isDrawn = true;
}

/** @param {number} width @param {number} height */
function showPrepared(width, height) {
  Object.assign(prepared, { width, height });
  prepared.setAttribute("aria-label", picture ? "A picture is ready" : "Nothing yet");
  preview.putImageData(imageOf(picture ?? { width, height, pixels: new Uint8Array(width * height) }), 0, 0);
}

/** @param {Picture} picture */
function imageOf({ width, height, pixels }) {
  const image = new ImageData(width, height);
  pixels.forEach((grey, place) => image.data.set([grey, grey, grey, 255], 4 * place));
  return image;
}

/**
 * Shows an image on the canvas, and takes it.
 *
 * @param {ImageBitmap | HTMLImageElement} image
 */
async function takeImage(image) {
  const source = withBrightInk(greyOf(image));
  await show(source);
  take(source);
  if (!picture) say("The picture has no ink: all of it is as bright.", "failed");
}

/** Shows a picture on the canvas. @param {Picture} source */
async function show(source) {
  const shown = await createImageBitmap(imageOf(source));
  wipe();
  const scale = Math.min(drawing.width / shown.width, drawing.height / shown.height);
  const [width, height] = [shown.width * scale, shown.height * scale];
  pen.imageSmoothingEnabled = scale < 1;
  pen.drawImage(shown, (drawing.width - width) / 2, (drawing.height - height) / 2, width, height);
  shown.close();
  isDrawn = false;
}

/** @param {File | undefined} chosenFile */
async function takeFile(chosenFile) {
  if (!chosenFile || reading) return;
  try {
    const image = await createImageBitmap(chosenFile);
    await takeImage(image);
    image.close();
  } catch {
    say("The file is no picture that this browser reads.", "failed");
  }
}

/** Where the pen is while it is down. @type {{ x: number, y: number } | undefined} */
let penAt;

drawing.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || reading) return;
  event.preventDefault();
  drawing.setPointerCapture(event.pointerId);
  if (!isDrawn) forgetPicture();
  penAt = place(event);
  stroke(penAt);
});
drawing.addEventListener("pointermove", (event) => {
  if (!penAt) return;
  const events = event.getCoalescedEvents();
  for (const step of events.length > 0 ? events : [event]) stroke(place(step));
});
for (const end of ["pointerup", "pointercancel"]) {
  drawing.addEventListener(end, () => {
    if (!penAt) return;
    penAt = undefined;
    take(greyOfData(pen.getImageData(0, 0, drawing.width, drawing.height)));
  });
}

/** @param {PointerEvent} event */
function place(event) {
  const { left, top, width, height } = drawing.getBoundingClientRect();
  return { x: ((event.clientX - left) * drawing.width) / width, y: ((event.clientY - top) * drawing.height) / height };
}

/** @param {{ x: number, y: number }} to */
function stroke(to) {
  const from = penAt ?? to;
  Object.assign(pen, { strokeStyle: "white", lineWidth: drawing.width * STROKE, lineCap: "round" });
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(to.x, to.y);
  pen.stroke();
  penAt = to;
}

clear.addEventListener("click", forgetPicture);
file.addEventListener("change", async () => {
  await takeFile(file.files?.[0]);
  file.value = "";
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const [dropped] = event.dataTransfer?.files ?? [];
  if (dropped) takeFile(dropped);
  else if (!reading) say("What was dropped is no file.", "failed");
});

// All are loaded with the page, so that nobody learns which one is taken.
for (let digit = 0; digit < SAMPLES; digit += 1) {
  const image = Object.assign(new Image(), { src: `digits/${digit}.png`, alt: `Sample: ${WORDS[digit]}` });
  const choice = Object.assign(document.createElement("button"), { type: "button" });
  choice.append(image);
  choice.addEventListener("click", async () => {
    await image.decode();
    await takeImage(image);
  });
  element("samples").append(choice);
}

// Reading.

classify.addEventListener("click", () => {
  if (!picture) return;
  const { width, height } = picture;
  const pixels = picture.pixels.slice();
  run(() => read(call("classify", { model: model.value, width, height, pixels }, [pixels.buffer]))).then(showKey);
});

/**
 * Goes on with a picture of which this page, or an earlier one, has not got the scores.
 *
 * @param {import("./worker.js").Question} unfinished
 */
async function goOn({ model: name, ...kept }) {
  model.value = name;
  await choose();
  picture = kept;
  await show(picture);
  showPrepared(picture.width, picture.height);
  await read(call("goOn"));
}

/**
 * Shows the scores of a picture when they come.
 *
 * @param {Promise<import("./worker.js").Scores>} answer
 */
async function read(answer) {
  reading = true;
  reset();
  update();
  say("Reading the picture…");
  const { name, label, scores } = await answer;
  showScores(label, scores);
  const word = WORDS[Number(name)] ?? name;
  element("label").textContent = sentence(word);
  say(`The network reads: ${word}.`);
}

cancel.addEventListener("click", () => call("cancel"));
model.addEventListener("change", choose);

/** Clears what is shown of another picture. */
function reset() {
  if (!busy && chosen()) say(picture ? "The picture is ready." : "Ready.");
  element("result").hidden = true;
  for (const step of document.querySelectorAll("#steps li")) {
    step.classList.remove("begun", "done");
    query(step, ".note").textContent = "";
    const bar = step.querySelector("progress");
    if (bar) bar.hidden = true;
  }
}

/** @param {StepNews} news */
function showStep({ step, state, note, progress, memory }) {
  const item = element(`step-${step}`);
  item.classList.toggle("begun", state === "begun");
  item.classList.toggle("done", state === "done");
  if (note !== undefined) query(item, ".note").textContent = note;
  const bar = item.querySelector("progress");
  if (bar) {
    bar.hidden = !progress || state === "done";
    if (progress) Object.assign(bar, { max: progress.total, value: progress.done });
  }
  element("memory").textContent = `Memory of the module that encrypts: ${(memory / 1e6).toFixed(1)} MB.`;
  // A line about a failure that is over.
  if (element("line").className === "failed") say("Reading the picture…");
}

/**
 * @param {number} label
 * @param {number[]} scores
 */
function showScores(label, scores) {
  const labels = chosen()?.labels ?? [];
  const [least, greatest] = [Math.min(...scores), Math.max(...scores)];
  const rows = scores.map((score, index) => {
    const row = document.createElement("tr");
    row.classList.toggle("highest", index === label);
    const bar = Object.assign(document.createElement("div"), { className: "bar" });
    bar.style.width = `${(100 * (score - least)) / (greatest - least || 1)}%`;
    const cell = document.createElement("td");
    cell.setAttribute("aria-hidden", "true");
    cell.append(bar);
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: labels[index] });
    row.append(name, Object.assign(document.createElement("td"), { textContent: score.toFixed(1) }), cell);
    return row;
  });
  element("scores").replaceChildren(...rows);
  scores.fill(0);
  element("result").hidden = false;
}

// What left this machine.

/** @type {Map<string, { times: number, bytes: number, row: HTMLTableRowElement }>} */
const requests = new Map();

/** @param {import("./service.js").Sent} sent */
function showSent({ method, path, what, bytes }) {
  const [address] = path.split("?");
  const request = `${method} /${address.replace(/[0-9a-f]{32,}/, "ID").replace(/models\/[^/]+/, "models/NAME")}`;
  let entry = requests.get(request);
  if (!entry) {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: sentence(what, "") }));
    for (let cell = 0; cell < 3; cell += 1) row.append(document.createElement("td"));
    row.cells[1].textContent = request;
    row.classList.toggle("encrypted", bytes > 0);
    element("sent").append(row);
    entry = { times: 0, bytes: 0, row };
    requests.set(request, entry);
  }
  entry.times += 1;
  entry.bytes += bytes;
  entry.row.cells[2].textContent = String(entry.times);
  entry.row.cells[3].textContent = entry.bytes.toLocaleString("en");
}

// The key.

/** The identity of the key, where there is one. @type {string | undefined} */
let keyId;

async function showKey() {
  keyId = chosen() && (await call("identify", { model: model.value }));
  const { parameters } = chosen() ?? {};
  element("key").textContent = keyId ? `${parameters}, identity ${keyId}` : "None yet. It is drawn when it is needed.";
  update();
}

/**
 * Waits for a change of the key, and shows what is there then, also where the change failed half way.
 *
 * @template T
 * @param {Promise<T>} change
 * @returns {Promise<T>}
 */
async function shown(change) {
  try {
    return await change;
  } finally {
    await showKey();
  }
}

exporting.addEventListener("click", () =>
  run(async () => {
    /** @type {Uint8Array<ArrayBuffer>} */
    const bytes = await call("exportKey", { model: model.value });
    const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    bytes.fill(0);
    Object.assign(document.createElement("a"), { href: address, download: "secret.key" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    say("The secret key is exported. Keep it where nobody else reads it.");
  }),
);

importing.addEventListener("change", () => {
  const chosenFile = importing.files?.[0];
  if (!chosenFile) return;
  run(async () => {
    if (keyId && !confirm("The imported key takes the place of the one of its parameter set. Export that one first, if you need it.")) return;
    const bytes = new Uint8Array(await chosenFile.arrayBuffer());
    const { id, parameters } = await shown(call("importKey", { file: bytes }, [bytes.buffer]));
    say(`The key ${id} for ${parameters} is imported.`);
  });
  importing.value = "";
});

forget.addEventListener("click", () => {
  if (!confirm("Forget the secret key? What is encrypted under it can never be decrypted again, unless you exported it.")) return;
  run(async () => {
    await shown(call("forgetKey", { model: model.value }));
    say("The secret key is forgotten, and its cloud key is deleted at the service.");
  });
});

// Access.

token.value = inSession((session) => session.getItem(TOKEN)) ?? "";
element("access").addEventListener("submit", (event) => {
  event.preventDefault();
  if (busy) return;
  inSession((session) => session.setItem(TOKEN, token.value));
  open();
});

/**
 * @template T
 * @param {(session: Storage) => T} work
 * @returns {T | undefined} Undefined in a browser that keeps nothing for this site.
 */
function inSession(work) {
  try {
    return work(sessionStorage);
  } catch {
    return undefined;
  }
}

// The page's elements.

function update() {
  clear.disabled = file.disabled = reading;
  document.querySelectorAll("button:has(img)").forEach((sample) => sample.toggleAttribute("disabled", reading));
  model.disabled = busy;
  importing.disabled = busy;
  classify.disabled = busy || !picture || !chosen();
  cancel.disabled = !busy;
  exporting.disabled = forget.disabled = busy || !keyId;
}

/** @param {string} text @param {"" | "failed"} [state] */
function say(text, state = "") {
  Object.assign(element("line"), { textContent: text, className: state });
}

/** @param {string} text @param {string} [end] */
function sentence(text, end = ".") {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : whole + end;
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  return query(document, `#${id}`);
}

/** @param {ParentNode} parent @param {string} selector @returns {HTMLElement} */
function query(parent, selector) {
  const found = parent.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** @param {string} id */
function canvas(id) {
  return /** @type {HTMLCanvasElement} */ (element(id));
}

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
}

/** @param {string} id */
function button(id) {
  return /** @type {HTMLButtonElement} */ (element(id));
}

/** @param {string} id */
function input(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}

wipe();
showPrepared(28, 28);
