import assert from "node:assert/strict";
import { test } from "node:test";
import { nextColour } from "./colours.ts";
import { addWords, EMPTY_DOCUMENT, History, MOST_WORDS, parseWords } from "./document.ts";
import type { Photo } from "./photo.ts";
import { countByScore, extentOf, shareOf, shareThatDiffers, visibleLabels } from "./label_map.ts";

test("commas, semicolons and lines part words, slashes part synonyms", () => {
  assert.deepEqual(parseWords(" cat, sofa /couch;;\n big   tree，雲"), [
    { name: "cat", synonyms: [] }, { name: "sofa", synonyms: ["couch"] }, { name: "big tree", synonyms: [] }, { name: "雲", synonyms: [] }]);
  assert.deepEqual(parseWords(" , / ,"), []);
});

test("a word is added once, with a colour of its own", () => {
  const { vocabulary, known } = addWords(addWords([], "cat, sofa").vocabulary, "Cat, wall");
  assert.deepEqual(vocabulary.map((word) => word.name), ["cat", "sofa", "wall"]);
  assert.deepEqual(known, ["Cat"]);
  assert.equal(new Set(vocabulary.map((word) => word.colour)).size, 3);
});

test("colours go on after those of the list, all different", () => {
  const taken: string[] = [];
  for (let i = 0; i < 60; i++) taken.push(nextColour(taken));
  assert.equal(new Set(taken).size, 60);
  assert.ok(taken.every((colour) => /^#[0-9a-f]{6}$/.test(colour)));
});

test("a list ends where label maps of 8 bits do", () => {
  const { vocabulary, tooMany } = addWords([], Array.from({ length: 300 }, (_, i) => `word ${i}`).join());
  assert.deepEqual([vocabulary.length, tooMany], [MOST_WORDS, true]);
});

test("what is dragged is one step of undo, other changes are one each", () => {
  const history = new History(EMPTY_DOCUMENT);
  history.change({ ...history.now, edges: false });
  for (let i = 1; i <= 5; i++) history.change({ ...history.now, unsure: i }, "unsure", 100 * i);
  history.change({ ...history.now, unsure: 9 }, "unsure", 5000);
  const steps = [];
  while (history.canUndo) {
    history.undo();
    steps.push([history.now.unsure, history.now.edges]);
  }
  assert.deepEqual(steps, [[5, false], [0, false], [0, true]]);
  history.redo();
  assert.deepEqual([history.now.edges, history.canRedo], [false, true]);
  history.change({ ...history.now, opacity: 1 });
  assert.equal(history.canRedo, false);
});

test("undo does not keep every photo of a day", () => {
  const history = new History(EMPTY_DOCUMENT);
  for (let i = 0; i < 10; i++) {
    history.change({ ...history.now, photo: { name: String(i) } as unknown as Photo });
    history.change({ ...history.now, edges: !history.now.edges });
  }
  const names = new Set<string | undefined>();
  while (history.canUndo) {
    history.undo();
    names.add(history.now.photo?.name);
  }
  assert.deepEqual([...names], ["9", "8", "7", "6"]);
});

const map = { width: 2, height: 2, labels: Uint8Array.from([0, 1, 1, 255]) };
const scores = { width: 2, height: 2, values: Uint8Array.from([200, 100, 50, 0]) };

test("shares follow the threshold without the pixels", () => {
  const counts = countByScore(map, scores);
  assert.deepEqual([0, 50, 51, 101].map((least) => shareOf(counts, 1, least, 4)), [0.5, 0.5, 0.25, 0]);
});

test("what is hidden or not sure has no class", () => {
  assert.deepEqual([...visibleLabels(map, scores, 60, [true, true]).labels], [0, 1, 255, 255]);
  assert.deepEqual([...visibleLabels(map, scores, 0, [false, true]).labels], [255, 1, 1, 255]);
});

test("extents and differences are counted in pixels", () => {
  assert.deepEqual(extentOf(map, 1), { box: [0, 0, 2, 2], area: 2 });
  assert.deepEqual(extentOf(map, 7), { box: [0, 0, 0, 0], area: 0 });
  assert.equal(shareThatDiffers(map, { ...map, labels: Uint8Array.from([0, 0, 1, 255]) }), 0.25);
});
