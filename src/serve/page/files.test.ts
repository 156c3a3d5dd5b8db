import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { cocoJson, labelmeJson, stemOf } from "./formats.ts";
import type { LabelMap } from "./label_map.ts";
import { decodeOneChannel, encodeIndexed, encodeRgba } from "./png.ts";
import { crc32, zip } from "./zip.ts";

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

function pngOf(width: number, height: number, colour: number, filtered: number[], depth = 8): Uint8Array {
  const chunk = (name: string, body: Uint8Array) => {
    const content = Buffer.concat([Buffer.from(name, "latin1"), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(content));
    return Buffer.concat([length, content, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, 0], 8);
  return new Uint8Array(Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", header),
                                       chunk("IDAT", deflateSync(Uint8Array.from(filtered))), chunk("IEND", Buffer.alloc(0))]));
}

test("all filters of a PNG are undone", async () => {
  const rows = [0, 7, 9, 250, /* left */ 1, 7, 2, 253, /* up */ 2, 1, 0, 255, /* mean */ 3, 4, 4, 0, /* Paeth */ 4, 1, 2, 3];
  const { width, height, values } = await decodeOneChannel(pngOf(3, 5, 0, rows));
  assert.deepEqual([width, height], [3, 5]);
  assert.deepEqual([...values], [7, 9, 250, 7, 9, 6, 8, 9, 5, 8, 12, 8, 9, 14, 11]);
});

test("an indexed PNG comes back as its indices", async () => {
  const indices = Uint8Array.from([0, 1, 2, 255, 254, 3]);
  const file = await bytesOf(await encodeIndexed(3, 2, indices, Array.from({ length: 256 }, (_, i) => [i, 0, 255 - i])));
  assert.deepEqual([...(await decodeOneChannel(file)).values], [...indices]);
});

test("what is no PNG of one channel is refused", async () => {
  await assert.rejects(decodeOneChannel(Uint8Array.from([1, 2, 3])), /no PNG/);
  await assert.rejects(decodeOneChannel(pngOf(1, 1, 2, [0, 1, 2, 3])), /colour type 2/);
  await assert.rejects(decodeOneChannel(pngOf(1, 1, 0, [0, 1, 2], 16)), /16 bits/);
  await assert.rejects(decodeOneChannel(pngOf(2, 2, 0, [0, 1, 2])), /not the pixels/);
  await assert.rejects(decodeOneChannel(pngOf(3, 5, 0, [0, 1]).slice(0, 50)), /ends early/);
});

test("colour strips become one picture", async () => {
  const strips = async function* () {
    yield Uint8ClampedArray.from([1, 2, 3, 255, 4, 5, 6, 0]);
    yield Uint8ClampedArray.from([7, 8, 9, 255, 7, 8, 9, 255]);
  };
  const file = await bytesOf(await encodeRgba(2, 2, strips()));
  assert.deepEqual([...file.slice(16, 26)], [0, 0, 0, 2, 0, 0, 0, 2, 8, 6]);
});

test("check sums and archives are those of ZIP", async () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  const file = await bytesOf(await zip([{ name: "ü.png", content: new Blob(["abc"]) }], new Date(2026, 10, 30, 12, 0, 2)));
  const text = Buffer.from(file).toString("latin1");
  assert.ok(text.startsWith("PK\x03\x04") && text.includes("abc") && text.lastIndexOf("PK\x05\x06") === file.length - 22);
});

const corner: LabelMap = { width: 3, height: 2, labels: Uint8Array.from([1, 1, 255, 1, 255, 255]) };

test("COCO files count categories from 1 and boxes from the corner", () => {
  const coco = JSON.parse(cocoJson({ photo: "a.jpg", map: corner, names: ["cat", "sofa"] }));
  assert.deepEqual(coco.categories.map(({ id, name }: { id: number; name: string }) => `${id} ${name}`), ["1 cat", "2 sofa"]);
  assert.equal(coco.annotations.length, 1);
  const { category_id, area, bbox, segmentation } = coco.annotations[0];
  assert.deepEqual([category_id, area, bbox, segmentation.size], [2, 3, [0, 0, 2, 2], [2, 3]]);
});

test("LabelMe files name the photo beside them", () => {
  const labelme = JSON.parse(labelmeJson({ photo: "a.jpg", map: corner, names: ["cat", "sofa"] }));
  assert.deepEqual([labelme.imagePath, labelme.imageWidth, labelme.imageHeight, labelme.imageData], ["a.jpg", 3, 2, null]);
  assert.deepEqual(labelme.shapes.map((shape: { label: string }) => shape.label), ["sofa"]);
});

test("file names keep what file systems take", () => {
  assert.equal(stemOf("holiday.2024.jpg"), "holiday.2024");
  assert.equal(stemOf("../a:b?.png"), ".._a_b_");
  assert.equal(stemOf(".png"), "photo");
});
