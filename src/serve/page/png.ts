import { crc32 } from "./zip.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY = 0;
const INDEXED = 3;
const RGBA = 6;

/** The pixels of an 8-bit PNG of one channel: its grey values or, of an indexed one, its indices. */
export interface OneChannel {
  width: number;
  height: number;
  values: Uint8Array;
}

/**
 * Decodes an 8-bit grey or indexed PNG to the numbers it stores. (A canvas would give colours, where
 * indices are wanted.) Throws an Error for other kinds and for damaged files.
 */
export async function decodeOneChannel(file: Uint8Array): Promise<OneChannel> {
  if (SIGNATURE.some((byte, i) => file[i] !== byte)) throw new Error("this is no PNG");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data: Uint8Array<ArrayBuffer>[] = [];
  let [width, height] = [0, 0];
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const body = at + 8;
    if (body + length + 4 > file.length) throw new Error("the PNG ends early");
    if (name === "IHDR") {
      width = view.getUint32(body);
      height = view.getUint32(body + 4);
      const [depth, colour, , , interlaced] = file.subarray(body + 8, body + 13);
      if (depth !== 8 || (colour !== GREY && colour !== INDEXED) || interlaced) {
        throw new Error(`a PNG of ${depth} bits and colour type ${colour} is not one of 8 bits and one channel`);
      }
    } else if (name === "IDAT") {
      data.push(file.slice(body, body + length));
    }
    at = body + length + 4;
  }
  const filtered = await through(data, new DecompressionStream("deflate"));
  if (filtered.length !== (width + 1) * height) throw new Error("the PNG has not the pixels it names");
  return { width, height, values: unfilter(filtered, width, height) };
}

/** Undoes the filters of rows of one byte per pixel. */
function unfilter(rows: Uint8Array, width: number, height: number): Uint8Array {
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    const from = y * (width + 1) + 1;
    const to = y * width;
    if (filter > 4) throw new Error(`the PNG has a filter ${filter}`);
    for (let x = 0; x < width; x++) {
      const left = x ? values[to + x - 1] : 0;
      const up = y ? values[to + x - width] : 0;
      const corner = x && y ? values[to + x - width - 1] : 0;
      const guess = [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, corner) : 0][filter];
      values[to + x] = rows[from + x] + guess;
    }
  }
  return values;
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** An 8-bit indexed PNG. `palette` has an [r, g, b] for every index from 0 on; up to 256. */
export function encodeIndexed(width: number, height: number, indices: Uint8Array,
                              palette: readonly (readonly number[])[]): Promise<Blob> {
  const rows = function* () {
    for (let y = 0; y < height; y++) {
      const row = new Uint8Array(width + 1);
      row.set(indices.subarray(y * width, (y + 1) * width), 1);
      yield row;
    }
  };
  return encode(width, height, INDEXED, rows(), [chunk("PLTE", Uint8Array.from(palette.flat()))]);
}

/** An RGBA PNG from strips of whole rows, so that a large photo never has to be held as pixels. */
export function encodeRgba(width: number, height: number, strips: AsyncIterable<Uint8ClampedArray>): Promise<Blob> {
  const rows = async function* () {
    const stride = width * 4;
    for await (const strip of strips) {
      for (let at = 0; at < strip.length; at += stride) {
        const row = new Uint8Array(stride + 1);
        row[0] = 1;  // each byte as the difference to the pixel on its left
        for (let i = 0; i < stride; i++) row[i + 1] = strip[at + i] - (i < 4 ? 0 : strip[at + i - 4]);
        yield row;
      }
    }
  };
  return encode(width, height, RGBA, rows(), []);
}

async function encode(width: number, height: number, colour: number, rows: Rows,
                      extra: Uint8Array<ArrayBuffer>[]): Promise<Blob> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colour, 0, 0, 0], 8);
  const data = await through(rows, new CompressionStream("deflate"));
  return new Blob([Uint8Array.from(SIGNATURE), chunk("IHDR", header), ...extra, chunk("IDAT", data),
                   chunk("IEND", new Uint8Array(0))], { type: "image/png" });
}

function chunk(name: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(body.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(body, 8);
  view.setUint32(body.length + 8, crc32(bytes.subarray(4, body.length + 8)));
  return bytes;
}

type Rows = Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>;

async function through(parts: Rows, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  const left = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await left.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
  });
  return new Uint8Array(await new Response(source.pipeThrough(stream)).arrayBuffer());
}
