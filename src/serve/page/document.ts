import { nextColour } from "./colours.ts";
import type { Photo } from "./photo.ts";

/** A class to look for. */
export interface Word {
  name: string;  // unique in its vocabulary, but for case
  synonyms: string[];
  colour: string;  // "#rrggbb"
  shown: boolean;
  everythingElse: boolean;  // the server's list of common things, as one class "background"
}

export type Vocabulary = readonly Word[];
export type Side = 0 | 1;
export type Layer = "words" | "trust" | "scores" | "photo";
export type Comparison = "none" | "weightings" | "vocabularies";

/** All that the person has chosen. It is never changed, only replaced, so that undo is another one. */
export interface Document {
  readonly photo: Photo | null;
  readonly vocabularies: readonly [Vocabulary, Vocabulary];
  readonly side: Side;  // the vocabulary that the chips show
  readonly comparison: Comparison;
  readonly weighting: string;  // of models with a trusty token
  readonly refine: "none" | "guided" | "pamr";
  readonly presence: number;  // 0 to 1; words that fit the photo less are left out
  readonly unsure: number;  // 0 to 255; pixels with a lower score have no class
  readonly layer: Layer;
  readonly opacity: number;  // 0 to 1
  readonly edges: boolean;
}

export const EMPTY_DOCUMENT: Document = {
  photo: null, vocabularies: [[], []], side: 0, comparison: "none", weighting: "both", refine: "none", presence: 0,
  unsure: 0, layer: "words", opacity: 0.55, edges: true,
};

export const BACKGROUND = "background";
/** The label maps that come from the server have 8 bits, of which one value says "no class". */
export const MOST_WORDS = 254;

export const vocabularyOf = (document: Document) => document.vocabularies[document.side];

export function withVocabulary(document: Document, vocabulary: Vocabulary): Document {
  const [first, second] = document.vocabularies;
  return { ...document, vocabularies: document.side === 0 ? [vocabulary, second] : [first, vocabulary] };
}

/** What was typed, as words: commas, semicolons and lines part words, a slash parts synonyms. */
export function parseWords(text: string): { name: string; synonyms: string[] }[] {
  return text.split(/[,;\n，；、]/).map((word) => word.split("/").map((part) => part.trim().replace(/\s+/g, " ")).filter(Boolean))
    .filter((parts) => parts.length)
    .map(([name, ...synonyms]) => ({ name, synonyms }));
}

/** A vocabulary with what was typed behind it; words that it has already are left out and named. */
export function addWords(vocabulary: Vocabulary, text: string): { vocabulary: Vocabulary; known: string[]; tooMany: boolean } {
  const result = [...vocabulary];
  const known: string[] = [];
  for (const { name, synonyms } of parseWords(text)) {
    if (result.some((word) => sameWord(word.name, name))) {
      known.push(name);
    } else if (result.length < MOST_WORDS) {
      const everythingElse = sameWord(name, BACKGROUND) && !synonyms.length;
      const colour = everythingElse ? "#8b9099" : nextColour(result.map((word) => word.colour));
      result.push({ name, synonyms, colour, shown: true, everythingElse });
    } else {
      return { vocabulary: result, known, tooMany: true };
    }
  }
  return { vocabulary: result, known, tooMany: false };
}

export const sameWord = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

const MOST_STEPS = 200;
const MOST_PHOTOS = 4;  // each holds a picture to show

/** The last steps, as far back as they do not hold too many photos. */
function recent(past: Document[]): Document[] {
  const photos = new Set<Photo | null>();
  let first = past.length;
  while (first > 0 && past.length - first < MOST_STEPS && photos.add(past[first - 1].photo).size <= MOST_PHOTOS) first--;
  return past.slice(first);
}

/** The document and what it was before. Changes of one kind that follow fast are one step. */
export class History {
  #past: Document[] = [];
  #future: Document[] = [];
  #lastKind = "";
  #lastTime = -Infinity;

  constructor(public now: Document) {}

  /** `kind`: the name of a setting that is dragged; "" makes a step of its own. */
  change(document: Document, kind = "", time = performance.now()): void {
    const goesOn = kind !== "" && kind === this.#lastKind && time - this.#lastTime < 1000;
    if (!goesOn) this.#past = recent([...this.#past, this.now]);
    this.#future = [];
    this.#lastKind = kind;
    this.#lastTime = time;
    this.now = document;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  undo(): void {
    this.#step(this.#past, this.#future);
  }

  redo(): void {
    this.#step(this.#future, this.#past);
  }

  #step(from: Document[], to: Document[]): void {
    const next = from.pop();
    if (!next) return;
    to.push(this.now);
    this.now = next;
    this.#lastKind = "";
  }
}
