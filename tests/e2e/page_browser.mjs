// Drives the page in Chromium, for page_test.py, which says by the environment:
//   PAGE_URL      the page                         PAGE_MODULES  node_modules with playwright-core and axe-core
//   CHROMIUM      the browser                      PAGE_OUT      where screenshots and downloads go
//   PAGE_SERVER   "stand-in": page_server.py, whose answers are known; "real": tagclip serve
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";

const { PAGE_URL, PAGE_MODULES, CHROMIUM, PAGE_OUT, PAGE_SERVER } = process.env;
const require = createRequire(join(PAGE_MODULES, "_"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const PHOTOS = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../data/photos");

const WIDE = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
});
after(() => browser.close());

/** Makes the server do something: see StandIn in page_server.py. */
const server = (state) => fetch(`${PAGE_URL}stand-in`, { method: "POST", body: JSON.stringify(state) });
const heard = async () => (await fetch(`${PAGE_URL}stand-in`)).json();

/** A test on the stand-in. Whatever the console says fails it, but for what `expected` matches. */
function onPage(name, options, act, expected = /$^/) {
  if (PAGE_SERVER !== "stand-in") return;
  onServer(name, options, act, expected, () =>
    server({ loading: 0, busy: 0, failing: 0, key: "", delay: 0, trusty: true, asked: [], questions: [] }));
}

/** A test with a page of its own. */
function onServer(name, options, act, expected = /$^/, prepare = () => {}) {
  test(name, { timeout: 180_000 }, async () => {
    await prepare();
    const context = await browser.newContext({ ...WIDE, ...options });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const said = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    try {
      await page.goto(PAGE_URL);
      await act(page);
      // The tests read the canvas back, not the page.
      assert.deepEqual(said.filter((text) => !expected.test(text) && !/Multiple readback/.test(text)), []);
    } finally {
      await context.close();
    }
  });
}

const labelled = (page, words) => page.waitForFunction((words) =>
  /labelled in/.test(document.getElementById("status").textContent) &&
  (words === null || document.querySelectorAll(".chip").length === words), words ?? null);

async function openSample(page, name) {
  await page.click(`[data-sample="${name}"]:visible`);
  await labelled(page);
}

const palace = async (page) => openSample(page, "palace.jpg");

async function add(page, words) {
  await page.fill("#word", words);
  await page.press("#word", "Enter");
  await labelled(page);
}

/** [r, g, b] of a canvas at shares of its width and height. */
const pixelAt = (page, x, y, panel = 0) => page.evaluate(([x, y, panel]) => new Promise((resolve) => requestAnimationFrame(() => {
  const canvas = document.querySelectorAll(".frame canvas")[panel];
  const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
  resolve([...canvas.getContext("2d").getImageData(at[0], at[1], 1, 1).data.slice(0, 3)]);
})), [x, y, panel]);

/** The share that each chip shows, in percent. */
const shares = (page) => page.$$eval(".chip", (chips) =>
  Object.fromEntries(chips.map((chip) => [chip.dataset.word, parseFloat(chip.querySelector(".chip-share").textContent.replace("<", ""))])));

const setRange = (page, id, value) => page.$eval(`#${id}`, (slider, value) => {
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  slider.dispatchEvent(new Event("change", { bubbles: true }));
}, value);

const frame = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
const alertText = async (page) => {
  await page.waitForSelector("#alert:not([hidden])");
  return page.innerText("#alert p");
};

const differs = (a, b) => a.some((part, i) => Math.abs(part - b[i]) > 8);
const SKY = [0.75, 0.1];

async function accessible(page, what) {
  // Content Security Policy keeps scripts out of the page, so axe comes as the debugger's.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id} at ${nodes.map((node) => node.target).join(", ")}`), []);
}

async function shot(page, name) {
  await page.screenshot({ path: join(PAGE_OUT, `${name}.png`) });
}

onPage("a sample becomes a mask, and new words do not encode it again", {}, async (page) => {
  await palace(page);
  assert.deepEqual(Object.keys(await shares(page)), ["building", "sky", "tree", "water"]);
  const sum = Object.values(await shares(page)).reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - 100) < 3, `shares sum up to ${sum}`);
  const { questions } = await heard();
  assert.deepEqual(questions[0].classes[0], { name: "building", synonyms: ["palace"] });
  const before = await pixelAt(page, ...SKY);
  await add(page, "boat");
  await page.click('[aria-label="Remove sky"]');
  await labelled(page, 4);
  assert.ok(differs(before, await pixelAt(page, ...SKY)), "the sky is something else now");
  const { asked } = await heard();
  assert.equal(asked.filter((one) => one === "POST /v1/encodings").length, 1);
  assert.match(await page.innerText('[data-word="tree"]'), /\bseen\b/);
  assert.match(await page.innerText('[data-word="water"]'), /\bnew\b/);
});

onPage("undo and redo go back without asking again", {}, async (page) => {
  await palace(page);
  const before = await shares(page);
  await page.click('[aria-label="Remove water"]');
  await labelled(page, 3);
  const count = (await heard()).questions.length;
  await page.click("#undo");
  await page.waitForSelector('[data-word="water"]');
  await labelled(page, 4);
  assert.deepEqual(await shares(page), before);
  await page.keyboard.press("Control+Shift+Z");
  await page.waitForSelector('[data-word="water"]', { state: "detached" });
  await page.keyboard.press("Control+Z");
  await page.waitForSelector('[data-word="water"]');
  assert.equal((await heard()).questions.length, count);
  await page.keyboard.press("Control+Z");  // the photo itself
  await page.waitForSelector("#start:not([hidden])");
});

onPage("what is drawn follows toggles, colours, opacity, edges and the threshold", {}, async (page) => {
  await palace(page);
  const sky = await pixelAt(page, ...SKY);
  const away = () => page.mouse.move(5, 5);  // a word under the pointer stands out
  const count = (await heard()).questions.length;
  await page.click('[aria-label="Show sky"]');
  await away();
  const hidden = await pixelAt(page, ...SKY);
  assert.ok(differs(sky, hidden));
  assert.equal(await page.getAttribute('[aria-label="Show sky"]', "aria-pressed"), "false");
  await page.keyboard.press("2");
  assert.deepEqual(await pixelAt(page, ...SKY), sky);
  await page.fill('[aria-label="Colour of sky"]', "#ff0000");
  const [red, green] = await pixelAt(page, ...SKY);
  assert.ok(red > green + 80, `${red} ${green}`);
  await setRange(page, "opacity", 0);
  assert.deepEqual(await pixelAt(page, ...SKY), hidden);
  await setRange(page, "opacity", 60);

  const image = () => page.$eval(".frame canvas", (canvas) => canvas.toDataURL());
  const withEdges = await image();
  await page.uncheck("#edges");
  await frame(page);
  assert.notEqual(await image(), withEdges);

  const before = await shares(page);
  await setRange(page, "unsure", 200);
  await frame(page);
  const after = await shares(page);
  assert.ok(after.tree < before.tree && after.sky <= before.sky, JSON.stringify([before, after]));
  assert.match(await page.innerText("#unsure-share"), /of the photo is not sure/);
  assert.match(await page.innerText('[data-word="tree"]'), /nowhere sure enough/);
  await shot(page, "unsure");
  assert.equal((await heard()).questions.length, count, "the browser does all that");
});

onPage("layers show scores and trust with their scale", {}, async (page) => {
  await palace(page);
  const words = await pixelAt(page, ...SKY);
  for (const [layer, name] of [["scores", "score"], ["trust", "trust"]]) {
    await page.check(`[name=layer][value=${layer}]`, { force: true });
    await frame(page);
    assert.ok(differs(words, await pixelAt(page, ...SKY)));
    assert.equal(await page.innerText("#legend-name"), name);
    assert.ok(parseFloat(await page.innerText("#legend-least")) < parseFloat(await page.innerText("#legend-most")));
    await shot(page, layer);
  }
  await page.keyboard.press("p");
  await frame(page);
  assert.equal(await page.isVisible("#legend"), false);
});

onPage("pointer and arrow keys tell word and score", {}, async (page) => {
  await palace(page);
  const box = await page.locator(".frame canvas").boundingBox();
  await page.mouse.move(box.x + SKY[0] * box.width, box.y + SKY[1] * box.height);
  assert.match(await page.innerText(".tip"), /^sky 0\.\d\d$/);
  await page.focus(".frame canvas");
  await page.keyboard.press("Shift+ArrowDown");
  assert.match(await page.innerText("#spoken"), /^[a-z]+ [01]\.\d\d$/);
  assert.match(await page.getAttribute(".frame canvas", "aria-label"), /sky \d+%/);
});

onPage("weightings and two vocabularies stand side by side", {}, async (page) => {
  await palace(page);
  await page.check("[name=comparison][value=weightings]", { force: true });
  await page.waitForFunction(() => document.querySelectorAll(".panel").length === 4);
  await labelled(page);
  assert.deepEqual([...new Set((await heard()).questions.map((one) => one.weighting))].sort(), ["both", "none", "seen", "unseen"]);
  assert.match(await page.innerText("#panels"), /% differs/);
  await shot(page, "weightings");
  await page.click('[aria-label^="Use: Seen"]');
  await page.waitForFunction(() => document.querySelector("#weighting").value === "seen");

  await page.check("[name=comparison][value=vocabularies]", { force: true });
  await page.waitForFunction(() => document.querySelectorAll(".panel").length === 2);
  await page.click("#side-1");
  await page.click('[aria-label="Remove water"]');
  await labelled(page, 3);
  await frame(page);
  assert.match(await page.innerText("#panels"), /A · building, sky, tree, water[^]*B · building, sky, tree(?!, water)/);
  await shot(page, "vocabularies");
  await page.check("[name=comparison][value=none]", { force: true });
  await page.waitForFunction(() => document.querySelectorAll(".panel").length === 1);
});

onPage("everything else, presence and refinement reach the server", {}, async (page) => {
  await palace(page);
  await page.check("#everything-else");
  await labelled(page, 5);
  await page.selectOption("#refine", "guided");
  await labelled(page);
  await add(page, "zebra crossing");
  await setRange(page, "presence", 90);
  await page.waitForSelector(".chip.absent");
  const last = (await heard()).questions.at(-1);
  assert.deepEqual([last.background, last.refine, last.presence, last.classes.length], ["common", "guided", 0.9, 5]);
  assert.match(await page.innerText(".chip.absent"), /not in this photo \(presence 0\.\d\d\)/);
});

onPage("all downloads are saved", { acceptDownloads: true }, async (page) => {
  await palace(page);
  const save = async (format, as) => {
    const waiting = page.waitForEvent("download");
    await page.click(`[data-format=${format}]`);
    const download = await waiting;
    await download.saveAs(join(PAGE_OUT, as));
    return download.suggestedFilename();
  };
  assert.equal(await save("labels", "labels.png"), "palace_labels.png");
  assert.equal(await save("coco", "coco.json"), "palace_coco.json");
  assert.equal(await save("labelme", "labelme.json"), "palace.json");
  assert.equal(await save("overlay", "overlay.png"), "palace_overlay.png");
  assert.equal(await save("cutouts", "cutouts.zip"), "palace_cutouts.zip");
  for (const word of ["building", "tree", "water"]) await page.click(`[aria-label="Show ${word}"]`);
  await setRange(page, "unsure", 200);
  await frame(page);
  assert.equal(await save("cutouts", "sky.png"), "palace_sky.png");
  assert.equal(await save("labels", "sky_labels.png"), "palace_labels.png");
});

onPage("photos are chosen, dropped, pasted and taken", {}, async (page) => {
  await page.setInputFiles("#file", join(PHOTOS, "coffee.jpg"));
  await page.waitForSelector("#panels:not([hidden])");
  assert.equal(await page.evaluate(() => document.activeElement.id), "word", "words are asked for");
  await page.waitForFunction(() => document.getElementById("progress").hidden);
  assert.deepEqual((await heard()).asked.at(-1), "POST /v1/encodings", "it is encoded before there are words");
  await add(page, "coffee, cup");
  assert.match(await page.innerText("#status"), /600 × 400/);

  const give = (name, kind) => page.evaluate(([bytes, name, kind]) => {
    const file = new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name, { type: "image/jpeg" });
    const transfer = new DataTransfer();
    transfer.items.add(file);
    if (kind === "paste") document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
    else for (const type of ["dragenter", "dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }, [readFileSync(join(PHOTOS, name)).toString("base64"), name, kind]);
  await give("cat.jpg", "drop");
  await page.waitForFunction(() => /451 × 300.*labelled/.test(document.getElementById("status").textContent));
  assert.equal(await page.isVisible("#drop"), false);
  await give("flower.jpg", "paste");
  await page.waitForFunction(() => /640 × 427.*labelled/.test(document.getElementById("status").textContent));
  assert.deepEqual(Object.keys(await shares(page)), ["coffee", "cup"], "own words stay");

  const sent = (await heard()).asked.filter((one) => one === "POST /v1/encodings").length;
  await page.click("#camera");
  await page.waitForFunction(() => document.getElementById("video").videoWidth > 0);
  await page.click("#shoot");
  await page.waitForSelector("#camera-dialog", { state: "hidden" });
  await labelled(page);
  await page.waitForFunction(() => !/640 × 427/.test(document.getElementById("status").textContent));
  assert.equal((await heard()).asked.filter((one) => one === "POST /v1/encodings").length, sent + 1);
});

onPage("a large photo is sent as it is and scaled for display only", {}, async (page) => {
  const bytes = await page.evaluate(() => new Promise((resolve) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2400, 1600];
    const context = canvas.getContext("2d");
    context.fillStyle = "#e1ebf5";
    context.fillRect(0, 0, 2400, 1600);
    canvas.toBlob(async (blob) => resolve([...new Uint8Array(await blob.arrayBuffer())]), "image/jpeg");
  }));
  await page.setInputFiles("#file", { name: "large.jpg", mimeType: "image/jpeg", buffer: Buffer.from(bytes) });
  await page.waitForSelector("#panels:not([hidden])");
  await add(page, "sky, trees");
  assert.match(await page.innerText("#status"), /2400 × 1600/);
  assert.ok(await page.$eval(".frame canvas", (canvas) => canvas.width < 1300));
  assert.equal((await shares(page)).sky, 100);
});

onPage("wrong files are refused in plain words, and the photo stays", {}, async (page) => {
  await palace(page);
  const refused = async (name, content, pattern) => {
    await page.setInputFiles("#file", { name, mimeType: "image/jpeg", buffer: Buffer.from(content) });
    assert.match(await alertText(page), pattern);
    assert.equal(await page.isVisible(".frame canvas"), true);
    await page.click("#alert-close");
  };
  await refused("notes.txt", "These are words.", /notes\.txt is not a photo\. Use a JPEG, PNG or WebP file\./);
  await refused("nothing.jpg", "", /nothing\.jpg is empty/);
  await refused("party.gif", "GIF89a....", /party\.gif is a GIF.*JPEG or PNG first/);
  await refused("phone.heic", "\0\0\0\x18ftypheic....", /HEIC photo/);
  await refused("broken.jpg", Buffer.from([255, 216, 255, 224, 1, 2, 3]), /broken\.jpg cannot be opened: the file is damaged/);
});

onPage("a server that fails is told of and asked again", {}, async (page) => {
  await server({ loading: 2 });
  await page.reload();
  await page.waitForFunction(() => /being loaded/.test(document.getElementById("model").textContent));
  await page.waitForFunction(() => /stand-in/.test(document.getElementById("model").textContent));
  await server({ busy: 2 });
  await palace(page);
  await server({ failing: 1 });
  await page.fill("#word", "boat");
  await page.press("#word", "Enter");
  assert.match(await alertText(page), /^The question could not be answered\./);
  await shot(page, "error");
  await page.click("#alert-retry");
  await labelled(page, 5);
  assert.equal(await page.isVisible("#alert"), false);

  await server({ encodings: {} });
  await add(page, "cloud");
  const anew = ["POST /v1/segment", "POST /v1/encodings", "POST /v1/segment"];
  let last = [];
  for (let i = 0; i < 100 && last.join() !== anew.join(); ++i) {
    await page.waitForTimeout(50);
    last = (await heard()).asked.slice(-3);
  }
  assert.deepEqual(last, anew);

  await page.route("**/v1/segment", (route) => route.abort());
  await page.fill("#word", "bird");
  await page.press("#word", "Enter");
  assert.match(await alertText(page), /The server does not answer\. See whether tagclip serve is still running/);
}, /status of (503|429|500|404)|net::ERR_FAILED/);

onPage("a key is asked for and kept; encodings are let go of when the page is left", {}, async (page) => {
  await server({ key: "sesame" });
  await page.reload();
  await page.fill("#key", "wrong");
  await page.click("#key-form .primary");
  await page.waitForSelector("#key-wrong:not([hidden])");
  await accessible(page, "key");
  await page.fill("#key", "sesame");
  await page.keyboard.press("Enter");
  await palace(page);
  await page.reload();
  await page.waitForFunction(() => /stand-in/.test(document.getElementById("model").textContent));
  const gone = async () => (await heard()).asked.filter((one) => /^DELETE \/v1\/encodings\/photo-/.test(one)).length;
  for (let i = 0; i < 100 && await gone() === 0; ++i) await page.waitForTimeout(50);
  assert.equal(await gone(), 1);
}, /status of 401/);

onPage("a model without trusty token offers no weighting", {}, async (page) => {
  await server({ trusty: false });
  await page.reload();
  await palace(page);
  assert.equal(await page.isDisabled("[name=layer][value=trust]"), true);
  assert.equal(await page.isDisabled("[name=comparison][value=weightings]"), true);
  assert.equal(await page.isVisible("#weighting"), false);
  assert.equal("weighting" in (await heard()).questions[0], false);
});

onPage("the keyboard alone does everything", {}, async (page) => {
  await page.waitForSelector("#start-samples img");
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement.dataset.sample)) !== "cat.jpg"; i++) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await labelled(page);
  await page.keyboard.press("w");
  await page.keyboard.type("ear e");
  assert.equal(await page.inputValue("#word"), "ear e", "letters that are typed are no commands");
  await page.keyboard.press("Enter");
  await labelled(page, 4);
  await page.focus(".frame canvas");
  await page.keyboard.press("c");
  await page.waitForFunction(() => document.querySelectorAll(".panel").length === 4);
  await page.keyboard.press("c");
  await page.keyboard.press("c");
  await page.keyboard.press("?");
  assert.equal(await page.isVisible("#help"), true);
  await page.uncheck("#single-keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("c");
  await frame(page);
  assert.equal((await page.$$(".panel")).length, 1, "keys can be turned off");
});

for (const [name, options] of Object.entries({ wide: {}, dark: { colorScheme: "dark" }, phone: PHONE })) {
  onPage(`accessible, and nothing overflows: ${name}`, options, async (page) => {
    await page.waitForFunction(() => /stand-in/.test(document.getElementById("model").textContent));
    await page.waitForLoadState("networkidle");
    await shot(page, `${name}-start`);
    await accessible(page, "start");
    await palace(page);
    await add(page, "a word that is so long that it does not fit into one line of the list");
    await page.click('[aria-label="Show sky"]');
    await shot(page, `${name}-labelled`);
    await accessible(page, "labelled");
    await page.check("[name=comparison][value=vocabularies]", { force: true });
    await page.check("[name=layer][value=trust]", { force: true });
    await frame(page);
    await accessible(page, "comparing");
    await page.click("#help-button");
    await shot(page, `${name}-help`);
    await accessible(page, "help");
    assert.deepEqual(await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]).then(([is, fits]) => is <= fits), true,
                     "the page is wider than the window");
  });
}
if (PAGE_SERVER === "real") {
  onServer("the program's own page labels a sample and a file", { acceptDownloads: true }, async (page) => {
    await openSample(page, "palace.jpg");
    await page.mouse.move(5, 5);
    const sum = async () => Object.values(await shares(page)).reduce((a, b) => a + b);
    assert.ok(Math.abs((await sum()) - 100) < 3, `shares sum up to ${await sum()}`);
    await shot(page, "real-labelled");
    const over = await pixelAt(page, ...SKY);
    await page.keyboard.press("p");
    assert.ok(differs(over, await pixelAt(page, ...SKY)), "a mask lies over the photo");
    await page.keyboard.press("p");
    await add(page, "boat / ship");
    await page.check("#everything-else");
    await labelled(page, 6);
    assert.ok(Math.abs((await sum()) - 100) < 3);
    await setRange(page, "unsure", await page.getAttribute("#unsure", "max"));
    await frame(page);
    assert.ok((await sum()) < 95, `the greatest score that occurs leaves ${await sum()}% of the photo`);
    await setRange(page, "unsure", 0);
    await setRange(page, "presence", 100);
    await page.waitForSelector(".chip.absent");
    await setRange(page, "presence", 0);
    await page.check("[name=comparison][value=weightings]", { force: true });
    await page.waitForFunction(() => document.querySelectorAll(".panel").length === 4);
    await labelled(page);
    await page.check("[name=layer][value=trust]", { force: true });
    await frame(page);
    assert.equal(await page.innerText("#legend-name"), "trust");
    await shot(page, "real-trust");
    await page.check("[name=layer][value=words]", { force: true });
    await page.check("[name=comparison][value=none]", { force: true });
    await page.setInputFiles("#file", join(PHOTOS, "cat.jpg"));
    await page.waitForFunction(() => /451 × 300.*labelled/.test(document.getElementById("status").textContent));
    const waiting = page.waitForEvent("download");
    await page.click("[data-format=labels]");
    await (await waiting).saveAs(join(PAGE_OUT, "real_labels.png"));
  });
}
