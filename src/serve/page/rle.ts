import type { LabelMap } from "./label_map.ts";

/**
 * The run lengths of a class as COCO's tools count them: column by column, beginning with the
 * pixels that are not of the class.
 */
export function runLengths(map: LabelMap, label: number): number[] {
  const runs: number[] = [];
  let inside = false;
  let run = 0;
  for (let x = 0; x < map.width; x++) {
    for (let y = 0; y < map.height; y++) {
      if ((map.labels[y * map.width + x] === label) !== inside) {
        runs.push(run);
        run = 0;
        inside = !inside;
      }
      run++;
    }
  }
  runs.push(run);
  return runs;
}

/**
 * Run lengths as the text that pycocotools writes: each number in groups of five bits, least first,
 * as characters from "0" on; from the fourth number on the difference to the one before the last.
 */
export function compressRuns(runs: number[]): string {
  let text = "";
  runs.forEach((run, i) => {
    let rest = i > 2 ? run - runs[i - 2] : run;
    for (let more = true; more;) {
      const bits = rest & 31;
      rest >>= 5;
      more = bits & 16 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode(48 + (more ? bits | 32 : bits));
    }
  });
  return text;
}

/** A mask as the annotation files of COCO hold it; `size` is [height, width]. */
export interface CocoMask {
  size: [number, number];
  counts: string;
}

export function cocoMask(map: LabelMap, label: number): CocoMask {
  return { size: [map.height, map.width], counts: compressRuns(runLengths(map, label)) };
}
