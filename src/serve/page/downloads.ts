import { type Rgb, rgb } from "./colours.ts";
import type { Document } from "./document.ts";
import { cocoJson, labelmeJson, stemOf } from "./formats.ts";
import { labelsIn, type LabelMap, NONE, visibleLabels } from "./label_map.ts";
import { type Answer, type Panel, wordsByIndex } from "./labeller.ts";
import type { Photo } from "./photo.ts";
import { encodeIndexed, encodeRgba } from "./png.ts";
import { layerOf } from "./stage.ts";
import { zip } from "./zip.ts";

export type Format = "labels" | "overlay" | "cutouts" | "coco" | "labelme";

/** What a download is made of: one panel as it is seen. */
export interface Source {
  photo: Photo;
  panel: Panel;
  answer: Answer;
  document: Document;
}

const UNLABELLED: Rgb = [96, 96, 96];  // of the label PNGs that `tagclip segment` writes, too

/** Makes a file. Words that are hidden and places that are not sure have no class in it. */
export async function makeFile(format: Format, source: Source): Promise<{ name: string; content: Blob }> {
  const { photo, panel, answer, document } = source;
  const words = wordsByIndex(answer, panel.vocabulary);
  const map = visibleLabels(answer.labels, answer.scores, document.unsure, words.map((word) => word?.shown ?? false));
  const names: string[] = [];
  for (const { index, name } of answer.classes) names[index] = name;
  const stem = stemOf(photo.name);
  const json = (text: string) => new Blob([text], { type: "application/json" });
  const labelled = { photo: photo.name, map, names: Array.from(names, (name) => name ?? "") };
  switch (format) {
    case "labels": {
      const palette = Array.from({ length: 256 }, (_, index) => words[index] ? rgb(words[index].colour) : UNLABELLED);
      return { name: `${stem}_labels.png`, content: await encodeIndexed(map.width, map.height, map.labels, palette) };
    }
    case "overlay": return { name: `${stem}_overlay.png`, content: await overlay(source) };
    case "cutouts": return cutouts(photo, map, names, stem);
    case "coco": return { name: `${stem}_coco.json`, content: json(cocoJson(labelled)) };
    case "labelme": return { name: `${stem}.json`, content: json(labelmeJson(labelled)) };
  }
}

/** The photo with a layer of transparency per class: a PNG where one class is seen, else a ZIP of them. */
async function cutouts(photo: Photo, map: LabelMap, names: string[], stem: string): Promise<{ name: string; content: Blob }> {
  const files = [];
  for (const label of labelsIn(map)) {
    const strips = async function* () {
      for await (const { y, pixels } of photo.strips()) {
        for (let i = 0, at = y * map.width; i < pixels.length; i += 4, at++) {
          if (map.labels[at] !== label) pixels.fill(0, i, i + 4);
        }
        yield pixels;
      }
    };
    files.push({ name: `${stem}_${stemOf(names[label] + ".")}.png`, content: await encodeRgba(map.width, map.height, strips()) });
  }
  if (!files.length) throw new Error("No word is seen in the photo, so there is nothing to cut out.");
  return files.length === 1 ? files[0] : { name: `${stem}_cutouts.zip`, content: await zip(files) };
}

/** The photo as it is shown with its words below, 2048 pixels on the long side at most. */
async function overlay(source: Source): Promise<Blob> {
  const { photo, panel, answer } = source;
  const { width, height } = photo.preview;
  const words = wordsByIndex(answer, panel.vocabulary);
  const present = labelsIn(answer.labels).filter((label) => label !== NONE && words[label]?.shown);
  const line = Math.max(24, Math.round(Math.max(width, height) / 40));
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d")!;
  const font = `${Math.round(line * 0.6)}px system-ui, sans-serif`;
  context.font = font;
  // Where each word of the legend goes: from left to right, a new line where one is full.
  let [x, y] = [line / 2, height + line / 2];
  const places = present.map((label) => {
    const needed = line * 1.6 + context.measureText(words[label]!.name).width;
    if (x + needed > width && x > line) [x, y] = [line / 2, y + line];
    const place = { label, x, y };
    x += needed;
    return place;
  });
  canvas.width = width;
  canvas.height = places.length ? Math.ceil(y + line * 1.5) : height;
  context.fillStyle = "#17181a";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(photo.preview, 0, 0);
  const layer = layerOf({ ...source, document: { ...source.document, layer: "words" }, highlighted: null, note: "", action: "", range: null }, width, height);
  if (layer) context.drawImage(await createImageBitmap(layer), 0, 0);
  context.font = font;
  context.textBaseline = "middle";
  for (const place of places) {
    const word = words[place.label]!;
    context.fillStyle = word.colour;
    context.fillRect(place.x, place.y + line * 0.2, line * 0.6, line * 0.6);
    context.fillStyle = "#f2f2f0";
    context.fillText(word.name, place.x + line * 0.85, place.y + line * 0.5);
  }
  return new Promise((resolve, reject) => canvas.toBlob((blob) =>
    blob ? resolve(blob) : reject(new Error("the browser could not make the picture")), "image/png"));
}

/** Hands a file to the person. */
export function save({ name, content }: { name: string; content: Blob }): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
