import type { Encoding, Server } from "./api.ts";
import { ServerError } from "./api.ts";

const LONGEST_PREVIEW = 2048;  // pixels; larger photos are scaled for display only

/** Something the person can mend: a wrong file. */
export class PhotoError extends Error {
  constructor(message: string, readonly hint: string) {
    super(message);
  }
}

/** A photo that was given to the page: its file as it is, a picture of it to show, its encoding. */
export class Photo {
  #encoding: Promise<Encoding> | null = null;

  private constructor(readonly name: string, readonly file: Blob, readonly width: number, readonly height: number,
                      readonly preview: HTMLCanvasElement) {}

  /** Throws a PhotoError for a file that is no photo of a kind that tagclip reads. */
  static async open(file: Blob, name: string): Promise<Photo> {
    const type = await typeOf(file, name);
    const picture = await decoded(file, name);
    const scale = Math.min(1, LONGEST_PREVIEW / Math.max(picture.naturalWidth, picture.naturalHeight));
    const preview = document.createElement("canvas");
    preview.width = Math.max(1, Math.round(picture.naturalWidth * scale));
    preview.height = Math.max(1, Math.round(picture.naturalHeight * scale));
    const context = preview.getContext("2d")!;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, preview.width, preview.height);
    const typed = file.type === type ? file : file.slice(0, file.size, type);
    return new Photo(name, typed, picture.naturalWidth, picture.naturalHeight, preview);
  }

  get isEncoded(): boolean {
    return this.#encoding !== null;
  }

  /** Its encoding on the server, which is made once; after a failure the next call tries again. */
  encoding(server: Server, onSent: (share: number) => void): Promise<Encoding> {
    this.#encoding ??= server.encode(this.file, onSent).catch((error) => {
      this.#encoding = null;
      throw error;
    });
    return this.#encoding;
  }

  /** Tells that the server has forgotten this encoding. */
  async forgetEncoding(id: string): Promise<void> {
    const encoding = this.#encoding;
    if ((await encoding)?.id === id && this.#encoding === encoding) this.#encoding = null;
  }

  /** The photo's pixels in strips of whole rows, full size, for downloads. */
  async *strips(): AsyncGenerator<{ y: number; pixels: Uint8ClampedArray }> {
    const picture = await decoded(this.file, this.name);
    const canvas = document.createElement("canvas");
    const rows = Math.max(1, Math.min(this.height, Math.floor((1 << 20) / this.width)));
    canvas.width = this.width;
    canvas.height = rows;
    const context = canvas.getContext("2d", { willReadFrequently: true })!;
    for (let y = 0; y < this.height; y += rows) {
      const count = Math.min(rows, this.height - y);
      context.clearRect(0, 0, this.width, rows);
      context.drawImage(picture, 0, -y);
      yield { y, pixels: context.getImageData(0, 0, this.width, count).data };
    }
  }
}

/** The picture of a file as the browser reads it, turned as its EXIF data say. */
async function decoded(file: Blob, name: string): Promise<HTMLImageElement> {
  const address = URL.createObjectURL(file);
  const picture = new Image();
  picture.src = address;
  try {
    await picture.decode();
    return picture;
  } catch {
    throw new PhotoError(`${name} cannot be opened: the file is damaged.`, "Try to export or to download it again.");
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** The MIME type by the file's first bytes. */
async function typeOf(file: Blob, name: string): Promise<string> {
  const hint = "Use a JPEG, PNG or WebP file.";
  if (!file.size) throw new PhotoError(`${name} is empty, or a folder.`, hint);
  const bytes = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  const others: [RegExp, string][] = [
    [/^GIF8/, "a GIF"], [/^....ftyp(heic|heix|hevc|mif1|msf1)/s, "a HEIC photo"], [/^....ftypavif/s, "an AVIF photo"],
    [/^....ftyp/s, "a video"], [/^(II\*\0|MM\0\*)/, "a TIFF"], [/^BM/, "a BMP"], [/^%PDF/, "a PDF"], [/^PK\x03\x04/, "a ZIP archive"],
  ];
  const kind = others.find(([pattern]) => pattern.test(text))?.[1];
  throw new PhotoError(kind ? `${name} is ${kind}, which cannot be used here.` : `${name} is not a photo.`,
                       kind && /HEIC|AVIF|TIFF|BMP|GIF/.test(kind) ? "Save it as JPEG or PNG first." : hint);
}

export const isForgotten = (error: unknown) => error instanceof ServerError && error.kind === "not_found";
