import assert from "node:assert/strict";
import { test } from "node:test";
import type { LabelMap } from "./label_map.ts";
import { type Point, polygonsOf } from "./polygons.ts";

const map = (rows: string[]): LabelMap => ({
  width: rows[0].length, height: rows.length, labels: Uint8Array.from(rows.join(""), (letter) => (letter === "#" ? 0 : 255)),
});

const polygons = (...rows: string[]) => polygonsOf(map(rows), 0);

/** All pixels on the lines of a polygon, whose steps go straight or diagonally. */
function outline(polygon: Point[]): Set<string> {
  const pixels = new Set<string>();
  polygon.forEach(([x, y], i) => {
    const [toX, toY] = polygon[(i + 1) % polygon.length];
    for (let step = Math.max(Math.abs(toX - x), Math.abs(toY - y)), k = 0; k <= step; k++) {
      pixels.add(`${x + (step ? ((toX - x) * k) / step : 0)} ${y + (step ? ((toY - y) * k) / step : 0)}`);
    }
  });
  return pixels;
}

test("a rectangle has its four corner pixels", () => {
  assert.deepEqual(polygons("......", ".####.", ".####."), [[[1, 1], [1, 2], [4, 2], [4, 1]]]);
});

test("a dot and a line are polygons, too", () => {
  assert.deepEqual(polygons("..", ".#"), [[[1, 1], [1, 1], [1, 1]]]);
  assert.deepEqual(polygons("###"), [[[0, 0], [2, 0], [2, 0]]]);
});

test("pixels that meet at a corner are one region, others are several", () => {
  assert.equal(polygons("#..", ".#.", "..#").length, 1);
  assert.equal(polygons("#.#", "#.#").length, 2);
});

test("a polygon runs around its holes and never over them", () => {
  const [ring, ...more] = polygons("#######", "#..#..#", "#..####", "#######");
  assert.equal(more.length, 0);
  const pixels = outline(ring);
  for (const hole of ["1 1", "2 1", "1 2", "2 2", "4 1", "5 1"]) assert.ok(!pixels.has(hole), hole);
  for (const edge of ["0 0", "3 1", "3 2", "6 1", "4 2", "6 3"]) assert.ok(pixels.has(edge), edge);
});

test("an island in a hole is a polygon of its own", () => {
  assert.equal(polygons("#####", "#...#", "#.#.#", "#...#", "#####").length, 2);
});
