import { type Document, sameWord, type Vocabulary, vocabularyOf, type Word } from "./document.ts";
import { shareOf } from "./label_map.ts";
import type { Answer } from "./labeller.ts";

interface Actions {
  change(name: string, change: Partial<Word>, kind?: string): void;
  remove(name: string): void;
  highlight(name: string | null): void;
}

/** The list of words. Rows stay when others change, so that the focus and an open colour picker do. */
export class Chips {
  #rows = new Map<string, Row>();

  constructor(private readonly list: HTMLElement, private readonly actions: Actions) {}

  /** `stale`: the answer is to other words than these, and another one is on its way. */
  show(vocabulary: Vocabulary, answer: Answer | undefined, stale: boolean, document: Document): void {
    for (const [name, row] of this.#rows) {
      if (!vocabulary.some((word) => word.name === name)) {
        row.element.remove();
        this.#rows.delete(name);
      }
    }
    vocabulary.forEach((word, i) => {
      let row = this.#rows.get(word.name);
      if (!row) this.#rows.set(word.name, (row = new Row(word.name, this.actions)));
      if (this.list.children[i] !== row.element) this.list.insertBefore(row.element, this.list.children[i] ?? null);
      row.show(word, factsOf(word, answer, stale, document));
    });
  }
}

interface Facts {
  share: number | null;  // of the photo, 0 to 1; null while it is not known
  detail: string;
  absent: boolean;
}

function factsOf(word: Word, answer: Answer | undefined, stale: boolean, document: Document): Facts {
  const synonyms = word.synonyms.length ? `${word.synonyms.join(", ")} · ` : "";
  if (!answer) return { share: null, detail: synonyms + waitsFor(word, document), absent: false };
  const absent = answer.absent.find(({ name }) => name === word.name);
  if (absent) return { share: 0, detail: `${synonyms}not in this photo (presence ${absent.presence.toFixed(2)})`, absent: true };
  const found = answer.classes.find(({ name }) => name === word.name || (word.everythingElse && name === "background"));
  if (!found) return stale ? { share: null, detail: synonyms + "…", absent: false } : { share: 0, detail: `${synonyms}nowhere in this photo`, absent: true };
  const pixels = answer.labels.labels.length;
  const share = shareOf(answer.counts, found.index, document.unsure, pixels);
  const nowhere = shareOf(answer.counts, found.index, 0, pixels) > 0 ? "nowhere sure enough" : "nowhere in this photo";
  const facts = [
    found.seen === null || word.everythingElse ? "" : found.seen ? "seen" : "new",
    share > 0 && found.score !== null ? `score ${found.score.toFixed(2)}` : nowhere,
    found.presence === null ? "" : `presence ${found.presence.toFixed(2)}`,
  ];
  return { share, detail: synonyms + facts.filter(Boolean).join(" · "), absent: share === 0 };
}

function waitsFor(word: Word, document: Document): string {
  if (!document.photo) return "waits for a photo";
  return word.everythingElse && vocabularyOf(document).length === 1 ? "waits for a word to be told from" : "…";
}

/** One word: its colour, name, share, what the model says of it, and buttons to hide and to remove it. */
class Row {
  readonly element = document.createElement("li");
  #colour = document.createElement("input");
  #detail = span("chip-detail");
  #share = span("chip-share");
  #bar = span("chip-bar");
  #toggle: HTMLButtonElement;

  constructor(name: string, actions: Actions) {
    this.element.dataset.word = name;
    this.#colour.type = "color";
    this.#colour.setAttribute("aria-label", `Colour of ${name}`);
    this.#colour.oninput = () => actions.change(name, { colour: this.#colour.value }, `colour ${name}`);
    const title = span("chip-name");
    title.append(name);
    this.#toggle = iconButton("i-eye", `Show ${name}`);
    this.#toggle.onclick = () => actions.change(name, { shown: this.#toggle.getAttribute("aria-pressed") !== "true" });
    const remove = iconButton("i-remove", `Remove ${name}`);
    remove.onclick = () => {
      const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
      actions.remove(name);
      // The focus would be lost with the button.
      (next?.querySelector<HTMLElement>("[aria-label^='Remove']") ?? document.getElementById("word"))?.focus();
    };
    this.element.append(this.#colour, title, this.#share, this.#toggle, remove, this.#detail, this.#bar);
    this.element.onpointerenter = (event) => event.pointerType === "mouse" && actions.highlight(name);
    this.element.onpointerleave = () => actions.highlight(null);
    this.element.addEventListener("focusin", () => this.element.querySelector(":focus-visible") && actions.highlight(name));
    this.element.addEventListener("focusout", () => actions.highlight(null));
  }

  show(word: Word, { share, detail, absent }: Facts): void {
    this.element.className = `chip${word.shown ? "" : " off"}${absent ? " absent" : ""}`;
    if (!sameWord(this.#colour.value, word.colour)) this.#colour.value = word.colour;
    this.#detail.textContent = detail;
    this.#share.textContent = share === null ? "" : percent(share);
    this.#bar.style.background = word.colour;
    this.#bar.style.transform = `scaleX(${word.shown ? share ?? 0 : 0})`;
    this.#toggle.setAttribute("aria-pressed", String(word.shown));
    this.#toggle.querySelector("use")!.setAttribute("href", word.shown ? "#i-eye" : "#i-hidden");
  }
}

/** A share for people: "41%", "0.4%", "under 0.1%". */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "<0.1%";
  return `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}%`;
}

function span(name: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = name;
  return element;
}

function iconButton(icon: string, label: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.className = "icon";
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.title = label;
  const namespace = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#${icon}`);
  picture.append(use);
  button.append(picture);
  return button;
}
