const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** The check sum of ZIP and PNG. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const UTF8_NAMES = 0x0800;

/** A ZIP archive whose files are stored as they are: pictures do not shrink any further. */
export async function zip(files: { name: string; content: Blob }[], now = new Date()): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  let offset = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.name);
    const content = new Uint8Array(await file.content.arrayBuffer());
    // What the entry before the file and the one in the directory share.
    const common = numbers([[20, 2], [UTF8_NAMES, 2], [0, 2], [time, 2], [date, 2], [crc32(content), 4],
                            [content.length, 4], [content.length, 4], [name.length, 2], [0, 2]]);
    const local = [numbers([[0x04034b50, 4]]), common, name, content];
    directory.push(numbers([[0x02014b50, 4], [20, 2]]), common,
                   numbers([[0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), name);
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = numbers([[0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4],
                       [offset, 4], [0, 2]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Numbers of so many bytes each, least byte first. */
function numbers(fields: [number, number][]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(fields.flatMap(([value, bytes]) =>
    Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255)));
}
