export type Rgb = [number, number, number];

/** Colours that are told apart on photos, for words in the order in which they are added. */
const WORD_COLOURS = [
  "#ff5a5f", "#2dd4bf", "#ffb020", "#4c8dff", "#c56cf0", "#7bd23c", "#ff7ac2", "#00b8d9", "#f4e04d", "#a0785a",
  "#9b8cff", "#00a36c", "#ff8f5c", "#5d7bb0", "#d0a0ff", "#b8c400", "#e0457b", "#6fd6ff", "#8a9a5b", "#d8b08c",
];

/** The first colour that none of `taken` has; after those of the list, hues in steps of the golden angle. */
export function nextColour(taken: string[]): string {
  const free = WORD_COLOURS.find((colour) => !taken.includes(colour));
  return free ?? hex(fromHue((taken.length * 137.508) % 360));
}

export function rgb(colour: string): Rgb {
  const value = parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function hex(colour: Rgb): string {
  return "#" + colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
}

function fromHue(degrees: number): Rgb {
  const part = (n: number) => {
    const k = (n + degrees / 30) % 12;
    return 255 * (0.6 - 0.35 * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [part(0), part(8), part(4)];
}

const HEAT: Rgb[] = [[24, 15, 62], [87, 24, 110], [163, 44, 97], [227, 90, 49], [251, 172, 24], [252, 255, 164]];

/** The colour of a value of 0 to 1 in a map of values: from dark violet over orange to light yellow. */
export function heat(value: number): Rgb {
  const place = Math.min(Math.max(value, 0), 1) * (HEAT.length - 1);
  const low = Math.min(Math.floor(place), HEAT.length - 2);
  return HEAT[low].map((part, i) => Math.round(part + (HEAT[low + 1][i] - part) * (place - low))) as Rgb;
}

/** True if dark text is read better on this colour than white text. */
export function isLight(colour: string): boolean {
  const [r, g, b] = rgb(colour);
  return 0.299 * r + 0.587 * g + 0.114 * b > 150;
}
