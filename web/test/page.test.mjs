/**
 * The page in Chromium, with a service of its own: `BNN=target/release/bnn node --test web/test/page.test.mjs`.
 *
 * With SCREENSHOT=FILE it also takes the picture of the documentation.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

/** The command. */
const BNN = process.env.BNN ?? fileURLToPath(new URL("../../target/release/bnn", import.meta.url));
/** What is waited for takes seconds on a machine that has nothing else to do. */
const PATIENCE = 100_000;
/** The model whose images take the least time. */
const QUICK = "perceptron";
/** Bytes of the cloud key. */
const CLOUD_KEY = "28,426,404";

const missing = await whatIsMissing();
const options = { skip: missing && `not run: ${missing}`, timeout: 2 * PATIENCE };

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Server} */
let server;
/** What the service keeps. @type {string} */
let folder;

/** A service whose folder outlasts its process. */
class Server {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;
  #folder;
  #port;

  /** @param {string} folder @param {number} port */
  constructor(folder, port) {
    this.#folder = folder;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}/`;
  }

  async start() {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const listen = `127.0.0.1:${this.#port}`;
    const process = spawn(BNN, ["serve", "--listen", listen, "--data", this.#folder], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = process;
    let complaints = "";
    process.stderr.on("data", (text) => (complaints += text));
    for (;;) {
      if (await fetch(`${this.url}v2/models`).then(({ ok }) => ok, () => false)) return;
      assert.equal(process.exitCode, null, complaints);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the process at once: it has no time for anything. */
  async kill() {
    if (this.#process?.exitCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}

before(async () => {
  if (missing) return;
  const { chromium } = await import("playwright-core");
  browser = await chromium.launch({ executablePath: chromiumPath() });
  folder = await mkdtemp(join(tmpdir(), "bnn-page-"));
  server = new Server(folder, await freePort());
  await server.start();
});

after(async () => {
  await browser?.close();
  await server?.kill();
  if (folder) await rm(folder, { recursive: true });
});

/**
 * The page in a browser that knows nothing. At the end of the test, no script may have complained, and nothing but the service may
 * have been asked.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("playwright-core").BrowserContextOptions} [settings]
 * @param {import("playwright-core").BrowserContext} [given]
 */
async function open(t, settings, given) {
  const context = given ?? (await browser.newContext({ viewport: { width: 1200, height: 900 }, deviceScaleFactor: 1.2, ...settings }));
  /** @type {string[]} */
  const complaints = [];
  /** @type {import("playwright-core").Request[]} */
  const requests = [];
  context.on("request", (request) => requests.push(request));
  context.on("console", (message) => complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("dialog", (dialog) => dialog.accept());
  t.after(async () => {
    await context.close();
    // Chromium says here what the policy of the page refused, too.
    assert.deepEqual(complaints.filter((text) => !isOfFailedRequest(text)), []);
    const elsewhere = requests.map((request) => request.url()).filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(server.url));
    assert.deepEqual(elsewhere, []);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(server.url);
  await line(page, /^Ready/);
  return { page, context, requests };
}

/** What Chromium writes itself, when a service is down or has no such key. @param {string} text */
function isOfFailedRequest(text) {
  return /^Failed to load resource: (net::ERR_|the server responded with a status of (401|404|409) )/.test(text);
}

/** Waits for what the page says. @param {Page} page @param {RegExp} text */
async function line(page, text) {
  await page.locator("#line", { hasText: text }).waitFor();
}

/** Takes a sample. @param {Page} page @param {string} word */
async function sample(page, word) {
  await page.getByRole("button", { name: `Sample: ${word}` }).click();
}

/** @param {Page} page @param {string} word */
async function classify(page, word) {
  await page.getByRole("button", { name: "Classify" }).click();
  await line(page, new RegExp(`^The network reads: ${word}\\.$`));
}

/** @param {Page} page */
async function identity(page) {
  return (await page.textContent("#key"))?.match(/[0-9a-f]{32}/)?.[0];
}

/** What the page says that it sent: times and bytes by request. @param {Page} page */
async function sent(page) {
  const rows = await page.locator("#sent tr").evaluateAll((rows) => rows.map((row) => Array.from(row.children, (cell) => cell.textContent)));
  return new Map(rows.map(([, request, times, bytes]) => [request, { times, bytes }]));
}

test("a seven that is drawn with the mouse is read", options, async (t) => {
  const { page } = await open(t);
  const area = await page.locator("#drawing").boundingBox();
  assert.ok(area);
  const move = async (/** @type {number} */ x, /** @type {number} */ y, steps = 8) =>
    page.mouse.move(area.x + x * area.width, area.y + y * area.height, { steps });
  await move(0.3, 0.25, 1);
  await page.mouse.down();
  await move(0.68, 0.23);
  await move(0.45, 0.8);
  await page.mouse.up();
  await classify(page, "seven");

  assert.equal(await page.locator("#steps .done").count(), 6);
  assert.equal(await page.locator("#scores tr").count(), 10);
  assert.equal(await page.locator("#scores .highest th").textContent(), "7");
  const requests = await sent(page);
  assert.deepEqual(requests.get("PUT /v2/keys/ID"), { times: "28", bytes: CLOUD_KEY });
  assert.equal(requests.get("POST /v2/models/NAME/jobs")?.times, "1");
  assert.ok(Number(requests.get("POST /v2/models/NAME/jobs")?.bytes.replace(",", "")) < 20_000);
  const memory = Number((await page.textContent("#memory"))?.match(/([\d.]+) MB/)?.[1]);
  assert.ok(memory > 0 && memory < 100, `${memory} MB`);
  t.diagnostic(`memory of the module: ${memory} MB`);
  if (process.env.SCREENSHOT) await photograph(page, process.env.SCREENSHOT);
});

/** The page down to the scores, without its margins. @param {Page} page @param {string} path */
async function photograph(page, path) {
  const [body, result] = await Promise.all([page.locator("main").boundingBox(), page.locator("#result").boundingBox()]);
  assert.ok(body && result);
  const margin = 24;
  const clip = { x: body.x - margin, y: 0, width: body.width + 2 * margin, height: result.y + result.height + margin };
  await page.screenshot({ path, fullPage: true, clip });
}

test("with the keyboard alone: a sample, another network, and the label", options, async (t) => {
  const { page } = await open(t);
  await page.getByLabel("Network").focus();
  await page.keyboard.type(QUICK);
  await page.getByRole("button", { name: "Sample: three" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Classify" }).and(page.locator(":enabled")).focus();
  await page.keyboard.press("Enter");
  await line(page, /^The network reads: three\.$/);
  assert.equal(await page.getByLabel("Network").inputValue(), QUICK);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "classify", "the focus is where it was");
  assert.equal(await page.getByRole("table", { name: "Scores" }).getByRole("row").count(), 11);
});

test("the key outlasts the page; it is exported, forgotten here and there, and imported; it is never sent", options, async (t) => {
  const { page, requests } = await open(t);
  await page.getByLabel("Network").selectOption(QUICK);
  await sample(page, "five");
  await classify(page, "five");
  await page.locator("#key", { hasText: /[0-9a-f]{32}/ }).waitFor();
  const id = await identity(page);

  await page.reload();
  await line(page, /^Ready/);
  await page.getByLabel("Network").selectOption(QUICK);
  assert.equal(await identity(page), id);
  await sample(page, "zero");
  await classify(page, "zero");
  assert.equal((await sent(page)).get("PUT /v2/keys/ID"), undefined, "no second upload");

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export" }).click()]);
  assert.equal(download.suggestedFilename(), "secret.key");
  const file = await readFile(await download.path());

  await page.getByRole("button", { name: "Forget" }).click();
  await line(page, /forgotten/);
  assert.equal(await identity(page), undefined);
  assert.equal((await fetch(`${server.url}v2/keys/${id}`)).status, 404);

  await page.getByLabel("Import").setInputFiles({ name: "secret.key", mimeType: "application/octet-stream", buffer: file });
  await line(page, /is imported/);
  assert.equal(await identity(page), id);
  await sample(page, "one");
  await classify(page, "one");
  assert.equal((await sent(page)).get("PUT /v2/keys/ID")?.bytes, CLOUD_KEY);

  // The bits of the key come after 100 bytes of its file.
  const [bits, rows] = [file.subarray(100, 132), Buffer.from(await page.evaluate(rowsOf, 5))];
  const bodies = requests.map((request) => request.postDataBuffer()).filter((body) => body !== null);
  t.diagnostic(`${bodies.length} bodies of requests were looked at`);
  assert.ok(bodies.some((body) => body.includes(Buffer.from(id, "hex"))), "the test sees what is sent");
  assert.ok(bodies.every((body) => !body.includes(bits) && !body.includes(rows)));
});

/** Grey values in the middle of a sample. @param {number} digit */
function rowsOf(digit) {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  context.drawImage(/** @type {HTMLImageElement} */ (document.querySelectorAll("#samples img")[digit]), 0, 0);
  return Array.from(context.getImageData(0, 12, 28, 4).data).filter((_, place) => place % 4 === 0);
}

for (const [moment, begun] of /** @type {const} */ ([
  ["the key is uploaded", "#step-upload.begun .note:has-text('of 28.4 MB')"],
  ["the service computes", "#step-evaluate.begun"],
])) {
  test(`a page that is loaded again while ${moment} goes on with its picture`, options, async (t) => {
    const { page, requests } = await open(t);
    await page.getByLabel("Network").selectOption(QUICK);
    await sample(page, "seven");
    await withoutAnswers(page);
    await page.getByRole("button", { name: "Classify" }).click();
    await page.locator(begun).waitFor();
    await page.unrouteAll();
    await page.reload();
    await page.getByRole("img", { name: "A picture is ready" }).waitFor();
    await line(page, /^The network reads: seven\.$/);
    assert.equal(await page.locator("#steps .done").count(), 6);

    const asked = requests.filter((request) => request.method() === "POST");
    const statuses = await Promise.all(asked.map(async (request) => (await request.response())?.status()));
    assert.deepEqual(statuses, [202, 200].slice(0, asked.length), "what is sent again is the same job at the service");
    assert.deepEqual(await keptReadings(page), [], "nothing is kept of a picture that was read");
    await page.reload();
    await line(page, /^Ready\.$/);
  });
}

/** From now on, a page never gets an answer about a job. @param {Page} page */
async function withoutAnswers(page) {
  await page.route("**/v2/jobs/**", () => {});
}

test("a picture of an open page is left to it, and that of a closed one is taken up", options, async (t) => {
  const { page, context } = await open(t);
  await page.getByLabel("Network").selectOption(QUICK);
  await sample(page, "seven");
  await withoutAnswers(page);
  await page.getByRole("button", { name: "Classify" }).click();
  await page.locator("#step-evaluate.begun").waitFor();
  const other = await context.newPage();
  other.setDefaultTimeout(PATIENCE);
  await other.goto(server.url);
  await line(other, /^Ready\.$/);

  await page.close();
  await other.reload();
  await line(other, /^The network reads: seven\.$/);
});

test("a picture whose key is gone is forgotten", options, async (t) => {
  const { page } = await open(t);
  const reading = { model: QUICK, key: "0".repeat(32), width: 1, height: 1, pixels: new Uint8Array(1), image: new Uint8Array(1) };
  await keptReadings(page, reading);
  assert.equal((await keptReadings(page)).length, 1);
  await page.reload();
  await line(page, /^Ready\.$/);
  assert.deepEqual(await keptReadings(page), []);
});

/**
 * The names of the readings that the browser keeps, after another was added.
 *
 * @param {Page} page
 * @param {object} [another]
 */
function keptReadings(page, another) {
  return page.evaluate(
    (another) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("bnn-tfhe readings");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const store = opening.result.transaction("kept", "readwrite").objectStore("kept");
          if (another) store.put(another, "a page that was left");
          const asking = store.getAllKeys();
          asking.onsuccess = () => resolve(asking.result);
          asking.onerror = () => reject(asking.error);
        };
      }),
    another,
  );
}

test("in a browser that keeps nothing for the site, all lasts as long as the page", options, async (t) => {
  const profile = await mkdtemp(join(tmpdir(), "bnn-profile-"));
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(profile, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const { chromium } = await import("playwright-core");
  const { page } = await open(t, {}, await chromium.launchPersistentContext(profile, { executablePath: chromiumPath() }));
  assert.equal(await page.evaluate(() => navigator.locks.request("any", () => true).catch(() => false)), false, "the browser keeps nothing");

  await page.getByLabel("Network").selectOption(QUICK);
  await sample(page, "three");
  await classify(page, "three");
  assert.match((await page.textContent("#step-key .note")) ?? "", /until this page is closed/);
  const id = await identity(page);
  await sample(page, "one");
  await classify(page, "one");
  assert.equal(await identity(page), id);
});

test("two pages of a browser share one key, and one of them uploads it", options, async (t) => {
  const { page, context } = await open(t);
  const other = await context.newPage();
  await other.goto(server.url);
  await line(other, /^Ready/);
  await Promise.all(
    [page, other].map(async (each) => {
      await each.getByLabel("Network").selectOption(QUICK);
      await sample(each, "four");
      await each.getByRole("button", { name: "Classify" }).click();
      await each.locator("#line", { hasText: /^The network reads: four\.$/ }).waitFor({ timeout: PATIENCE });
    }),
  );
  assert.equal(await identity(page), await identity(other));
  const uploads = (await Promise.all([page, other].map(sent))).map((requests) => requests.get("PUT /v2/keys/ID")?.bytes);
  assert.deepEqual(uploads.toSorted(), [CLOUD_KEY, undefined]);
});

test("a damaged key is refused in one line, and the one that is kept stays", options, async (t) => {
  const { page } = await open(t);
  await page.getByLabel("Import").setInputFiles({ name: "secret.key", mimeType: "", buffer: Buffer.from("<b>no key</b>") });
  await line(page, /magic/);
  assert.equal(await page.getByRole("button", { name: "Export" }).isEnabled(), false);
});

test("a photograph with dark ink is chosen or dropped; what is no picture is refused", options, async (t) => {
  const { page } = await open(t);
  await page.getByLabel("Network").selectOption(QUICK);
  const photograph = Buffer.from(await page.evaluate(photographOf, 7), "base64");
  await page.getByLabel("Choose a picture").setInputFiles({ name: "7.png", mimeType: "image/png", buffer: photograph });
  await classify(page, "seven");

  await page.getByRole("button", { name: "Clear" }).click();
  assert.equal(await page.getByRole("button", { name: "Classify" }).isEnabled(), false);
  const dropped = await page.evaluateHandle((base64) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], "4.png", { type: "image/png" }));
    return data;
  }, await page.evaluate(photographOf, 4));
  await page.dispatchEvent("#drawing", "drop", { dataTransfer: dropped });
  await classify(page, "four");

  await page.getByLabel("Choose a picture").setInputFiles({ name: "7.png", mimeType: "image/png", buffer: Buffer.from("no") });
  await line(page, /^The file is no picture/);
  await sample(page, "two");
  await line(page, /^The picture is ready\.$/);
});

/** A sample as a camera might see it, in base64: large, off the middle, dark on bright paper. @param {number} digit */
async function photographOf(digit) {
  const image = /** @type {HTMLImageElement} */ (document.querySelectorAll("#samples img")[digit]);
  const canvas = Object.assign(document.createElement("canvas"), { width: 1600, height: 1200 });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.filter = "invert(1) contrast(0.7)";
  context.fillStyle = "black";
  context.fillRect(0, 0, 1600, 1200);
  context.drawImage(image, 700, 200, 800, 800);
  return canvas.toDataURL("image/png").split(",")[1];
}

test("the service is killed while the key is uploaded and while it computes, and comes back", options, async (t) => {
  const { page } = await open(t);
  await sample(page, "two");
  await page.getByRole("button", { name: "Classify" }).click();
  await page.locator("#step-upload .note", { hasText: "of 28.4 MB" }).waitFor();
  await server.kill();
  await line(page, /^The service cannot be reached\. Another attempt follows/);
  await server.start();

  await page.locator("#step-evaluate.begun").waitFor();
  await server.kill();
  await line(page, /^The service cannot be reached\. Another attempt follows/);
  await server.start();
  await line(page, /^The network reads: two\.$/);
});

test("without the service the page still encrypts, and says in one line what it lacks", options, async (t) => {
  const { page } = await open(t);
  await sample(page, "six");
  await server.kill();
  t.after(() => server.start());
  await page.getByRole("button", { name: "Classify" }).click();
  await line(page, /^The service cannot be reached/);
  assert.deepEqual(await page.locator("#steps .done .name").allTextContents(), ["Secret key", "Encryption of the picture"]);
  await page.getByRole("button", { name: "Cancel" }).click();
  await line(page, /^Cancelled\.$/);
});

test("what runs is cancelled: an upload here, a job at the service too", options, async (t) => {
  const { page } = await open(t);
  await sample(page, "eight");
  await page.getByRole("button", { name: "Classify" }).click();
  await page.locator("#step-upload .note", { hasText: "of 28.4 MB" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await line(page, /^Cancelled\.$/);

  await page.getByRole("button", { name: "Classify" }).click();
  await page.locator("#step-evaluate.begun").waitFor();
  const deleted = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.getByRole("button", { name: "Cancel" }).click();
  await line(page, /^Cancelled\.$/);
  assert.ok([204, 404].includes((await deleted).status()));
  await classify(page, "eight");
});

test("a token is asked for, sent, and kept for this tab only; an error is shown as text", options, async (t) => {
  const { page, context } = await open(t);
  await context.route("**/v2/models", (route) =>
    route.request().headers()["authorization"] === "Bearer open-sesame"
      ? route.continue()
      : route.fulfill({ status: 401, json: { error: "<b>no token</b>" } }),
  );
  await page.reload();
  await line(page, /^<b>no token<\/b>\.$/);
  assert.equal(await page.locator("#token:focus").count(), 1);
  await page.keyboard.type("open-sesame");
  await page.keyboard.press("Enter");
  await line(page, /^Ready/);
  assert.deepEqual(await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]), [1, 0, ""]);
});

for (const [look, settings] of /** @type {const} */ ([
  ["bright", { colorScheme: "light" }],
  ["dark, on a phone", { colorScheme: "dark", viewport: { width: 360, height: 640 } }],
])) {
  test(`axe finds nothing that keeps people out: ${look}`, options, async (t) => {
    const { page } = await open(t, settings);
    await assertAccessible(page);
    await page.getByLabel("Network").selectOption(QUICK);
    await sample(page, "two");
    await classify(page, "two");
    await assertAccessible(page);
    await page.getByLabel("Choose a picture").setInputFiles({ name: "2.png", mimeType: "image/png", buffer: Buffer.from("no") });
    await line(page, /^The file is no picture/);
    await assertAccessible(page);
  });
}

/** @param {Page} page */
async function assertAccessible(page) {
  await page.evaluate(await readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8"));
  const violations = await page.evaluate(async () => {
    // @ts-expect-error The script above defines it.
    const { violations } = /** @type {import("axe-core").AxeResults} */ (await axe.run());
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
  });
  assert.deepEqual(violations, []);
}

test("it fits a phone, is dark where that is preferred, and does not move where that is not", options, async (t) => {
  const settings = /** @type {const} */ ({ viewport: { width: 320, height: 640 }, colorScheme: "dark", reducedMotion: "reduce" });
  const { page } = await open(t, settings);
  await sample(page, "nine");
  await page.getByLabel("Network").selectOption(QUICK);
  await classify(page, "nine");
  const look = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    paper: getComputedStyle(document.body).backgroundColor,
    motion: getComputedStyle(document.querySelector("#steps li") ?? document.body, "::before").animationName,
  }));
  assert.deepEqual(look, { width: 320, paper: "rgb(20, 22, 26)", motion: "none" });
  const names = await page.locator("body").ariaSnapshot();
  assert.match(names, /- button "Classify"/);
  assert.doesNotMatch(names, /- (button|combobox|img|list|progressbar|table|textbox)( \[[^\]]*\])*(:|$)/m, "something has no name");
});

/** Why the tests cannot run here. */
async function whatIsMissing() {
  if (!chromiumPath()) return "no Chromium";
  if (!existsSync(BNN)) return `no command at ${BNN}`;
  const packages = ["playwright-core", "axe-core"].map((name) => import(name));
  return Promise.all(packages).then(() => undefined, () => "no playwright-core or axe-core: npm ci --prefix web");
}

function chromiumPath() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8" }).trim();
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}
