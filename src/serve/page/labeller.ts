import type { Question, Segmentation, Server } from "./api.ts";
import { BACKGROUND, type Document, type Side, type Vocabulary, vocabularyOf } from "./document.ts";
import { countByScore } from "./label_map.ts";
import { type Range, rangeOf } from "./paint.ts";
import { isForgotten, type Photo } from "./photo.ts";

/** One labelled photo on the stage: what is asked, and whose words colour it. */
export interface Panel {
  title: string;  // "" where there is one panel only
  vocabulary: Vocabulary;
  side: Side;
  weighting: string;
  question: Question;
}

/** An answer and what is counted once: its pixels by class and score, its least and greatest values. */
export interface Answer extends Segmentation {
  counts: Uint32Array;
  scoreRange: Range;
  trustRange: Range | null;
}

export const WEIGHTING_NAMES: Record<string, string> = {
  none: "No weighting", seen: "Seen words weighted", unseen: "New words weighted", both: "All words weighted",
};

/** What the document shows side by side. `weightings`: those that the model has. */
export function panelsOf(document: Document, weightings: string[]): Panel[] {
  const panel = (title: string, side: Side, weighting: string): Panel => {
    const vocabulary = document.vocabularies[side];
    return { title, side, vocabulary, weighting, question: questionOf(document, vocabulary, weightings.includes(weighting) ? weighting : null) };
  };
  if (document.comparison === "weightings" && weightings.length) {
    return weightings.map((weighting) => panel(WEIGHTING_NAMES[weighting] ?? weighting, document.side, weighting));
  }
  if (document.comparison === "vocabularies") {
    return [panel("A", 0, document.weighting), panel("B", 1, document.weighting)];
  }
  return [{ ...panel("", document.side, document.weighting), vocabulary: vocabularyOf(document) }];
}

function questionOf(document: Document, vocabulary: Vocabulary, weighting: string | null): Question {
  return {
    classes: vocabulary.filter((word) => !word.everythingElse).map(({ name, synonyms }) => ({ name, synonyms })),
    background: vocabulary.some((word) => word.everythingElse) ? "common" : false,
    ...(weighting ? { weighting } : {}),
    refine: document.refine,
    presence: document.presence,
  };
}

/** The vocabulary's word for each class of an answer, by the class's index; undefined for words that were removed. */
export function wordsByIndex(answer: Segmentation, vocabulary: Vocabulary): (Vocabulary[number] | undefined)[] {
  const words: (Vocabulary[number] | undefined)[] = [];
  for (const { index, name } of answer.classes) {
    words[index] = vocabulary.find((word) => word.name === name || (word.everythingElse && name === BACKGROUND));
  }
  return words;
}

const MOST_BYTES = 256 << 20;

/** Asks the server what the panels need, and keeps the answers, so that going back costs nothing. */
export class Labeller {
  #answers = new Map<string, Answer>();
  #running = new Map<string, AbortController>();
  #failed = new Map<string, unknown>();

  /** `onChange`: an answer came, or a failure. `onSent`: the share of a photo that was sent. */
  constructor(private readonly server: Server, private readonly onChange: () => void,
              private readonly onSent: (photo: Photo, share: number) => void) {}

  answer(photo: Photo, question: Question): Answer | undefined {
    return this.#answers.get(keyOf(photo, question));
  }

  /** What went wrong with a question or with the photo itself; undefined if nothing did. */
  failure(photo: Photo, question: Question): unknown {
    return this.#failed.get(keyOf(photo, question)) ?? this.#failed.get(keyOf(photo));
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** Starts what is missing, and stops what is no longer wanted. A photo is encoded before there are words. */
  want(photo: Photo, questions: Question[]): void {
    void this.#prepare(photo);
    const wanted = new Map(questions.filter((question) => question.classes.length)
      .map((question) => [keyOf(photo, question), question]));
    for (const [key, call] of this.#running) {
      if (!wanted.has(key) && key !== keyOf(photo)) {
        call.abort();
        this.#running.delete(key);
      }
    }
    for (const [key, question] of wanted) {
      if (!this.#answers.has(key) && !this.#running.has(key) && !this.#failed.has(key)) void this.#ask(key, photo, question);
    }
  }

  /** Forgets failures, so that what failed is asked again. */
  retry(): void {
    this.#failed.clear();
  }

  async #prepare(photo: Photo): Promise<void> {
    const key = keyOf(photo);
    if (photo.isEncoded || this.#running.has(key) || this.#failed.has(key)) return;
    const call = new AbortController();
    this.#running.set(key, call);
    try {
      await photo.encoding(this.server, (share) => this.onSent(photo, share));
    } catch (error) {
      this.#failed.set(key, error);
    } finally {
      if (this.#running.get(key) === call) this.#running.delete(key);
    }
    this.onChange();
  }

  async #ask(key: string, photo: Photo, question: Question): Promise<void> {
    const call = new AbortController();
    this.#running.set(key, call);
    try {
      const answer = await this.#segment(photo, question, call.signal);
      this.#keep(key, {
        ...answer,
        counts: countByScore(answer.labels, answer.scores),
        scoreRange: rangeOf(answer.scores.values),
        trustRange: answer.trust && rangeOf(answer.trust.values),
      });
    } catch (error) {
      if (!call.signal.aborted) this.#failed.set(key, error);
    } finally {
      if (this.#running.get(key) === call) this.#running.delete(key);
    }
    if (!call.signal.aborted) this.onChange();
  }

  /** A server that has forgotten the photo meanwhile gets it once more. */
  async #segment(photo: Photo, question: Question, signal: AbortSignal): Promise<Segmentation> {
    const onSent = (share: number) => this.onSent(photo, share);
    const { id } = await photo.encoding(this.server, onSent);
    try {
      return await this.server.segment(id, question, signal);
    } catch (error) {
      if (!isForgotten(error)) throw error;
      await photo.forgetEncoding(id);
      return this.server.segment((await photo.encoding(this.server, onSent)).id, question, signal);
    }
  }

  #keep(key: string, answer: Answer): void {
    this.#answers.set(key, answer);
    let bytes = [...this.#answers.values()].reduce((sum, kept) => sum + bytesOf(kept), 0);
    for (const [oldest, kept] of this.#answers) {
      if (bytes <= MOST_BYTES || oldest === key) break;
      this.#answers.delete(oldest);
      bytes -= bytesOf(kept);
    }
  }
}

const bytesOf = (answer: Answer) => answer.counts.byteLength + 3 * answer.labels.labels.byteLength;

const keys = new WeakMap<Photo, number>();
let photos = 0;

/** A name for a question about a photo, or for the photo alone. */
function keyOf(photo: Photo, question?: Question): string {
  if (!keys.has(photo)) keys.set(photo, ++photos);
  return `${keys.get(photo)} ${question ? JSON.stringify(question) : ""}`;
}
