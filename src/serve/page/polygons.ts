import type { LabelMap } from "./label_map.ts";

/** A corner of a polygon, the centre of a pixel: [x, y]. */
export type Point = [number, number];

/** A pixel of a border; borders are rings, so that one can be spliced into another at any pixel. */
interface RingPixel {
  at: number;  // in the padded map
  next: RingPixel;
}

/**
 * The polygons of a class, one per 8-connected region, through the centres of its border pixels, as
 * LabelMe and OpenCV draw them: filling a polygon, its line included, gives the region back. A hole
 * is cut open: the polygon runs along a row of the region's pixels to the hole, around it, and back.
 */
export function polygonsOf(map: LabelMap, label: number): Point[][] {
  const stride = map.width + 2;
  return findRings(padded(map, label), stride, map.height + 2).map((ring) => corners(ring, stride));
}

/** 1 where the class is, with a margin of one pixel that is 0. */
function padded(map: LabelMap, label: number): Int32Array {
  const stride = map.width + 2;
  const field = new Int32Array(stride * (map.height + 2));
  for (let y = 0, i = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++, i++) {
      if (map.labels[i] === label) field[(y + 1) * stride + x + 1] = 1;
    }
  }
  return field;
}

/**
 * Follows all borders (Suzuki and Abe 1985, "Topological structural analysis of digitized binary
 * images by border following"), joins each hole to the ring that lies left of it, and returns the
 * outer rings. `field` is marked with the borders' numbers.
 */
function findRings(field: Int32Array, stride: number, rows: number): RingPixel[] {
  const outerRings: RingPixel[] = [];
  const known = new Map<number, RingPixel>();
  let number = 1;
  for (let y = 1; y < rows - 1; y++) {
    for (let at = y * stride + 1; at < (y + 1) * stride - 1; at++) {
      const outer = field[at] === 1 && field[at - 1] === 0;
      const hole = !outer && field[at] >= 1 && field[at + 1] === 0;
      if (!outer && !hole) continue;
      const ring = follow(field, stride, at, outer ? at - 1 : at + 1, ++number);
      const pixels = pixelsOf(ring);
      if (outer) outerRings.push(ring);
      else splice(field, known, pixels);
      for (const pixel of pixels) if (!known.has(pixel.at)) known.set(pixel.at, pixel);
    }
  }
  return outerRings;
}

/** Follows one border from pixel `start`, whose neighbour `from` lies outside, and marks it. */
function follow(field: Int32Array, stride: number, start: number, from: number, number: number): RingPixel {
  // The neighbours, clockwise as seen in the photo.
  const around = [1, stride + 1, stride, stride - 1, -1, -stride - 1, -stride, -stride + 1];
  const direction = (a: number, b: number) => around.indexOf(b - a);
  const first = { at: start } as RingPixel;
  first.next = first;

  let turn = direction(start, from);
  let end = -1;  // the last pixel of the ring, a neighbour of the first
  for (let k = 0; k < 8 && end < 0; k++) {
    const neighbour = start + around[(turn + k) & 7];
    if (field[neighbour] !== 0) end = neighbour;
  }
  if (end < 0) {
    field[start] = -number;
    return first;
  }

  let pixel = first;
  let before = end;
  for (;;) {
    turn = direction(pixel.at, before);
    let next = -1;
    let rightIsOutside = false;
    for (let k = 1; k <= 8; k++) {
      const way = (turn - k + 16) & 7;  // anticlockwise
      const neighbour = pixel.at + around[way];
      if (field[neighbour] !== 0) {
        next = neighbour;
        break;
      }
      if (way === 0) rightIsOutside = true;
    }
    if (rightIsOutside) field[pixel.at] = -number;
    else if (field[pixel.at] === 1) field[pixel.at] = number;

    if (next === start && pixel.at === end) {
      pixel.next = first;
      return first;
    }
    before = pixel.at;
    pixel.next = { at: next } as RingPixel;
    pixel = pixel.next;
  }
}

function pixelsOf(start: RingPixel): RingPixel[] {
  const pixels = [];
  let pixel = start;
  do {
    pixels.push(pixel);
    pixel = pixel.next;
  } while (pixel !== start);
  return pixels;
}

/** Joins a hole's ring to the ring that is met first on the way left from its first pixel. */
function splice(field: Int32Array, known: Map<number, RingPixel>, hole: RingPixel[]): void {
  const first = hole[0];
  let at = first.at;
  while (field[at - 1] !== 0) at--;
  const there = known.get(at)!;  // its border begins further up or left, so that it was followed before
  const back: RingPixel = { at, next: there.next };
  hole[hole.length - 1].next = { at: first.at, next: back };
  there.next = first;
}

/** The pixels of a ring at which it turns. */
function corners(start: RingPixel, stride: number): Point[] {
  const ring = pixelsOf(start).map(({ at }): Point => [(at % stride) - 1, Math.floor(at / stride) - 1]);
  const way = (a: Point, b: Point) => Math.sign(b[0] - a[0]) * 3 + Math.sign(b[1] - a[1]);
  const points = ring.filter((point, i) => {
    const before = ring[(i + ring.length - 1) % ring.length];
    const after = ring[(i + 1) % ring.length];
    return way(before, point) !== way(point, after);
  });
  if (!points.length) points.push(ring[0]);
  // A polygon has three corners at least, also where the region is a dot or a line.
  while (points.length < 3) points.push(points[points.length - 1]);
  return points;
}
