import assert from "node:assert/strict";
import { test } from "node:test";
import type { LabelMap } from "./label_map.ts";
import { cocoMask, compressRuns, runLengths } from "./rle.ts";

const map = (rows: string[]): LabelMap => ({
  width: rows[0].length, height: rows.length,
  labels: Uint8Array.from(rows.join(""), (letter) => (letter === "." ? 255 : Number(letter))),
});

test("runs go down the columns and begin outside of the class", () => {
  assert.deepEqual(runLengths(map(["01", "00", "1."]), 0), [0, 2, 2, 1, 1]);
  assert.deepEqual(runLengths(map(["01", "00", "1."]), 1), [2, 2, 2]);
  assert.deepEqual(runLengths(map(["..", ".."]), 0), [4]);
});

test("compressed runs are those of pycocotools", () => {
  // The texts are what pycocotools.mask.encode() makes of the same masks.
  assert.deepEqual(cocoMask(map(["0.", ".0"]), 0), { size: [2, 2], counts: "0120" });
  const [width, height] = [70, 60];
  const inside = (x: number, y: number, left: number, top: number, right: number, bottom: number) =>
    x >= left && x < right && y >= top && y < bottom;
  const labels = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return inside(x, y, 3, 5, 60, 50) && !inside(x, y, 20, 20, 40, 30) ? 0 : 255;
  });
  assert.equal(cocoMask({ width, height, labels }, 0).counts,
               "i5]1?00000000000000000000000000000000ROK5" + "5KK5".repeat(18) + "5KK55i000000000000000000000000000000000000000cb0");
  assert.equal(compressRuns([0, 4200]), "0XS4");
});
