/** The value of a pixel that has no class. */
export const NONE = 255;

/** The class of every pixel of a photo: an index into a list of classes, or NONE; row by row. */
export interface LabelMap {
  width: number;
  height: number;
  labels: Uint8Array;
}

/** One value per pixel, 0 to 255 for 0 to 1; row by row. */
export interface GreyMap {
  width: number;
  height: number;
  values: Uint8Array;
}

/**
 * Counts the pixels of every class by their score, so that shares are known for any threshold
 * without another look at the pixels: counts[class * 256 + score], where class NONE is unlabelled.
 */
export function countByScore(map: LabelMap, scores: GreyMap | null): Uint32Array {
  const counts = new Uint32Array(256 * 256);
  map.labels.forEach((label, i) => counts[label * 256 + (scores ? scores.values[i] : 255)]++);
  return counts;
}

/** The share of the photo that has this class and a score of at least `least` (0 to 255). */
export function shareOf(counts: Uint32Array, label: number, least: number, pixels: number): number {
  let sum = 0;
  for (let score = least; score < 256; score++) sum += counts[label * 256 + score];
  return pixels ? sum / pixels : 0;
}

/** The map without classes that are not shown, and without pixels whose score is below `least`. */
export function visibleLabels(map: LabelMap, scores: GreyMap | null, least: number, shown: boolean[]): LabelMap {
  const labels = map.labels.map((label, i) =>
    shown[label] && (!scores || scores.values[i] >= least) ? label : NONE);
  return { ...map, labels };
}

/** The classes that occur, ascending. */
export function labelsIn(map: LabelMap): number[] {
  const seen = new Uint8Array(256);
  for (const label of map.labels) seen[label] = 1;
  return [...seen.keys()].filter((label) => seen[label] && label !== NONE);
}

/** The smallest rectangle that holds a class, [x, y, width, height] as COCO has it, and its pixels. */
export function extentOf(map: LabelMap, label: number): { box: [number, number, number, number]; area: number } {
  let [left, top, right, bottom, area] = [map.width, map.height, -1, -1, 0];
  for (let y = 0, i = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++, i++) {
      if (map.labels[i] !== label) continue;
      area++;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return { box: area ? [left, top, right - left + 1, bottom - top + 1] : [0, 0, 0, 0], area };
}

/** The share of pixels in which two maps of the same photo differ in the class they name. */
export function shareThatDiffers(a: LabelMap, b: LabelMap): number {
  let differing = 0;
  for (let i = 0; i < a.labels.length; i++) if (a.labels[i] !== b.labels[i]) differing++;
  return a.labels.length ? differing / a.labels.length : 0;
}
