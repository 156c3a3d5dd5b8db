import { heat, rgb } from "./colours.ts";
import { type LabelMap, NONE } from "./label_map.ts";

/** How class `index` is painted, opaque from 1 on; undefined: not at all. */
export type Paint = { colour: string; opacity: number } | undefined;

/** A pixel as the ImageData of the processors that browsers run on have it. */
const pixel = (r: number, g: number, b: number, alpha: number) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** For each of `count` places the source index it shows, when `size` pixels are scaled to `count`. */
export function nearest(count: number, size: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => Math.min(size - 1, Math.floor(((i + 0.5) * size) / count)));
}

/** A map of values scaled to another size, each pixel the nearest one's value. */
export function scaled(values: Uint8Array, width: number, height: number, toWidth: number, toHeight: number): Uint8Array {
  const columns = nearest(toWidth, width);
  const result = new Uint8Array(toWidth * toHeight);
  nearest(toHeight, height).forEach((row, y) => {
    for (let x = 0; x < toWidth; x++) result[y * toWidth + x] = values[row * width + columns[x]];
  });
  return result;
}

/**
 * Class colours as a layer over a photo; with `edges` opaque lines where two classes meet. Pixels of
 * NONE stay clear, but for those of `unsure`, which are hatched.
 */
export function paintLabels({ width, height, labels }: LabelMap, paints: Paint[], edges: boolean,
                            unsure: Uint8Array | null): ImageData {
  const image = new ImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  const inside = new Uint32Array(256);
  const border = new Uint32Array(256);
  paints.forEach((paint, index) => {
    if (!paint) return;
    const [r, g, b] = rgb(paint.colour);
    inside[index] = pixel(r, g, b, Math.round(Math.min(1, paint.opacity) * 255));
    border[index] = pixel(r, g, b, 255);
  });
  const hatch = pixel(20, 20, 24, 150);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const label = labels[i];
      if (label === NONE) {
        if (unsure?.[i] && ((x + y) & 7) < 3) out[i] = hatch;
        continue;
      }
      const onBorder = edges && ((x > 0 && labels[i - 1] !== label) || (x < width - 1 && labels[i + 1] !== label) ||
                                 (y > 0 && labels[i - width] !== label) || (y < height - 1 && labels[i + width] !== label));
      out[i] = onBorder ? border[label] : inside[label];
    }
  }
  return image;
}

/** The least and the greatest of some values, 0 to 255. */
export type Range = [number, number];

/** The range of values, so that small differences can be shown, too; 0 and 255 where all are equal. */
export function rangeOf(values: Iterable<number>): Range {
  let [least, most] = [255, 0];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least < most ? [least, most] : [0, 255];
}

/** A map of values as colours from dark (`least`) to light (`most`). */
export function paintValues(values: Uint8Array, width: number, height: number, [least, most]: Range,
                            opacity: number): ImageData {
  const image = new ImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  const colours = Uint32Array.from({ length: 256 }, (_, value) =>
    pixel(...heat((value - least) / (most - least)), Math.round(opacity * 255)));
  values.forEach((value, i) => { out[i] = colours[value]; });
  return image;
}
