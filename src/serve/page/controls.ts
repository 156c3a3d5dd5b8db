import type { App } from "./app.ts";
import { addWords, BACKGROUND, type Comparison, type Document, type Layer, MOST_WORDS, sameWord, type Side, vocabularyOf,
         withVocabulary } from "./document.ts";
import { element } from "./elements.ts";
import { WEIGHTING_NAMES } from "./labeller.ts";

const input = (id: string) => element<HTMLInputElement>(id);

/** The settings beside the photo: each shows a part of the document and changes it. */
export class Controls {
  constructor(private readonly app: App) {
    element("add").onsubmit = (event) => {
      event.preventDefault();
      this.#add();
    };
    input("word").oninput = (event) => {
      // A comma ends a word, but not while a longer list is pasted or an input method composes.
      if ((event as InputEvent).data === "," && !(event as InputEvent).isComposing) this.#add();
    };
    input("everything-else").onchange = () => {
      const words = vocabularyOf(this.#now).filter((word) => !word.everythingElse && !sameWord(word.name, BACKGROUND));
      this.#change(withVocabulary(this.#now, input("everything-else").checked ? addWords(words, BACKGROUND).vocabulary : words));
    };
    for (const side of [0, 1] as Side[]) element(`side-${side}`).onclick = () => this.#change({ ...this.#now, side });
    this.#choice<Layer>("layer", (layer) => ({ layer }));
    this.#choice<Comparison>("comparison", (comparison) => comparisonOf(this.#now, comparison));
    this.#slider("opacity", (value) => ({ opacity: value / 100 }));
    this.#slider("unsure", (value) => ({ unsure: value }));
    this.#slider("presence", (value) => ({ presence: value / 100 }), "change");
    input("edges").onchange = () => this.#change({ ...this.#now, edges: input("edges").checked });
    for (const id of ["weighting", "refine"] as const) {
      const select = element<HTMLSelectElement>(id);
      select.onchange = () => this.#change({ ...this.#now, [id]: select.value });
    }
  }

  /** Offers the weightings that the model has; without any, what needs a trusty token is disabled. */
  setWeightings(weightings: string[]): void {
    element<HTMLSelectElement>("weighting").replaceChildren(...weightings.map((name) => new Option(WEIGHTING_NAMES[name] ?? name, name)));
    element("weighting-setting").hidden = !weightings.length;
    for (const id of ["weightings-choice", "trust-choice"]) {
      const choice = element(id);
      choice.querySelector("input")!.disabled = !weightings.length;
      choice.title = weightings.length ? "" : "This model has no trusty token";
    }
  }

  /** `mostScore`: the greatest score that is seen, 0 to 255. */
  show(document: Document, mostScore: number): void {
    const words = vocabularyOf(document);
    input("everything-else").checked = words.some((word) => word.everythingElse);
    element("sides").hidden = document.comparison !== "vocabularies";
    for (const side of [0, 1]) element(`side-${side}`).setAttribute("aria-pressed", String(document.side === side));
    for (const name of ["layer", "comparison"] as const) {
      globalThis.document.querySelector<HTMLInputElement>(`[name="${name}"][value="${document[name]}"]`)!.checked = true;
    }
    setSlider("opacity", document.opacity * 100, `${Math.round(document.opacity * 100)}%`);
    // Scores of some models stay far below 1: the whole slider is for those that occur.
    input("unsure").max = String(Math.max(1, mostScore, document.unsure));
    setSlider("unsure", document.unsure, document.unsure ? (document.unsure / 255).toFixed(2) : "off");
    setSlider("presence", document.presence * 100, document.presence ? document.presence.toFixed(2) : "off");
    input("edges").checked = document.edges;
    element<HTMLSelectElement>("weighting").value = document.weighting;
    element<HTMLSelectElement>("refine").value = document.refine;
    element<HTMLButtonElement>("undo").disabled = !this.app.history.canUndo;
    element<HTMLButtonElement>("redo").disabled = !this.app.history.canRedo;
  }

  get #now(): Document {
    return this.app.history.now;
  }

  #change(document: Document, kind = ""): void {
    this.app.change(document, kind);
  }

  #add(): void {
    const { vocabulary, known, tooMany } = addWords(vocabularyOf(this.#now), input("word").value);
    input("word").value = "";
    if (vocabulary.length > vocabularyOf(this.#now).length) this.#change(withVocabulary(this.#now, vocabulary));
    if (tooMany) this.app.alert(new Error(`A list has at most ${MOST_WORDS} words here; tagclip segment takes more.`));
    else if (known.length) this.app.say(`${known.join(", ")}: in the list already`);
  }

  #choice<T extends string>(name: string, change: (value: T) => Partial<Document>): void {
    for (const radio of document.querySelectorAll<HTMLInputElement>(`[name="${name}"]`)) {
      radio.onchange = () => this.#change({ ...this.#now, ...change(radio.value as T) });
    }
  }

  /** `event`: "change" for what the server has to answer, which is asked when the slider is let go. */
  #slider(id: string, change: (value: number) => Partial<Document>, event: "input" | "change" = "input"): void {
    input(id).addEventListener(event, () => this.#change({ ...this.#now, ...change(Number(input(id).value)) }, id));
  }
}

/** What changes with the comparison: the second vocabulary begins as the first. */
export function comparisonOf(document: Document, comparison: Comparison): Partial<Document> {
  const [first, second] = document.vocabularies;
  if (comparison !== "vocabularies") return { comparison };
  return { comparison, vocabularies: [first, second.length ? second : first] };
}

function setSlider(id: string, value: number, text: string): void {
  const slider = input(id);
  if (document.activeElement !== slider || Math.abs(Number(slider.value) - value) >= 1) slider.value = String(value);
  slider.setAttribute("aria-valuetext", text);
  element(`${id}-value`).textContent = text;
}
