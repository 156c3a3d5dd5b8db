import type { Document } from "./document.ts";
import { NONE } from "./label_map.ts";
import { type Answer, type Panel, wordsByIndex } from "./labeller.ts";
import { type Paint, paintLabels, paintValues, type Range, scaled } from "./paint.ts";
import type { Photo } from "./photo.ts";

const MOST_PIXELS = 3e6;  // of a canvas: more are not seen, and cost time at every move of a slider

/** What one panel shows. */
export interface Shown {
  photo: Photo;
  panel: Panel;
  answer: Answer | undefined;
  document: Document;
  highlighted: string | null;  // the name of a word that stands out
  note: string;  // behind the title
  range: Range | null;  // of the values of the layer, the same in all panels
  action: string;  // what the button beside it does; "": there is none
}

/** A place in the photo, as shares of its width and height, that all panels tell about; null: none. */
export type Place = { x: number; y: number } | null;

/** One labelled photo: a canvas, its title, and a tip that tells what is at a place. */
export class PanelView {
  readonly element = document.createElement("figure");
  #canvas = document.createElement("canvas");
  #tip = document.createElement("p");
  #cross = document.createElement("span");
  #frame = document.createElement("div");
  #title = document.createElement("figcaption");
  #use = document.createElement("button");
  #titleText = document.createElement("span");
  #shown: Shown | null = null;

  constructor(onPlace: (place: Place, aloud: boolean) => void, onUse: (panel: Panel) => void) {
    this.element.className = "panel";
    this.#frame.className = "frame";
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    this.#cross.className = "cross";
    this.#cross.hidden = true;
    this.#use.className = "link";
    this.#use.onclick = () => this.#shown && onUse(this.#shown.panel);
    this.#title.append(this.#titleText, this.#use);
    this.#canvas.tabIndex = 0;
    this.#canvas.setAttribute("role", "img");
    this.#frame.append(this.#canvas, this.#cross, this.#tip);
    this.element.append(this.#title, this.#frame);

    const at = (event: PointerEvent): Place => {
      const box = this.#canvas.getBoundingClientRect();
      return { x: clamp((event.clientX - box.left) / box.width), y: clamp((event.clientY - box.top) / box.height) };
    };
    this.#canvas.onpointermove = (event) => onPlace(at(event), false);
    this.#canvas.onpointerdown = (event) => onPlace(at(event), event.pointerType !== "mouse");
    this.#canvas.onpointerleave = (event) => event.pointerType === "mouse" && onPlace(null, false);
    this.#canvas.onblur = () => onPlace(null, false);
    let place = { x: 0.5, y: 0.5 };
    this.#canvas.onkeydown = (event) => {
      const step = event.shiftKey ? 0.1 : 0.02;
      const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      place = { x: clamp(place.x + move[0]), y: clamp(place.y + move[1]) };
      onPlace(place, true);
    };
  }

  /** Draws into a box of the given size, in CSS pixels. */
  draw(shown: Shown, boxWidth: number, boxHeight: number): void {
    this.#shown = shown;
    const { photo, panel, note } = shown;
    this.#title.hidden = !panel.title;
    this.#titleText.textContent = [panel.title, note].filter(Boolean).join(" · ");
    this.#use.hidden = !shown.action;
    this.#use.textContent = shown.action;
    this.#use.setAttribute("aria-label", `${shown.action}: ${panel.title}`);

    const scale = Math.min(boxWidth / photo.width, boxHeight / photo.height);
    const [cssWidth, cssHeight] = [Math.max(1, photo.width * scale), Math.max(1, photo.height * scale)];
    const density = Math.min(window.devicePixelRatio, Math.sqrt(MOST_PIXELS / (cssWidth * cssHeight)));
    this.#canvas.style.width = `${cssWidth}px`;
    this.#canvas.style.height = `${cssHeight}px`;
    this.#canvas.width = Math.max(1, Math.round(cssWidth * density));
    this.#canvas.height = Math.max(1, Math.round(cssHeight * density));
    this.#canvas.setAttribute("aria-label", this.#describe(shown));

    const context = this.#canvas.getContext("2d")!;
    context.imageSmoothingQuality = "high";
    context.drawImage(photo.preview, 0, 0, this.#canvas.width, this.#canvas.height);
    const layer = layerOf(shown, this.#canvas.width, this.#canvas.height);
    if (layer) {
      const above = document.createElement("canvas");
      above.width = layer.width;
      above.height = layer.height;
      above.getContext("2d")!.putImageData(layer, 0, 0);
      context.drawImage(above, 0, 0);
    }
  }

  /** Shows what is at a place, and returns it in words. */
  tell(place: Place): string {
    const words = place && this.#shown ? tellAt(this.#shown, place) : "";
    this.#tip.hidden = this.#cross.hidden = !words;
    if (!place || !words) return "";
    this.#tip.textContent = words;
    const [x, y] = [place.x * this.#canvas.clientWidth, place.y * this.#canvas.clientHeight];
    this.#cross.style.translate = `${x}px ${y}px`;
    const left = clamp(x + 14, 0, Math.max(0, this.#canvas.clientWidth - this.#tip.offsetWidth));
    const top = y > 44 ? y - 40 : y + 18;
    this.#tip.style.translate = `${left}px ${top}px`;
    return words;
  }

  #describe({ photo, panel, answer, document }: Shown): string {
    if (!answer) return `${photo.name}, not labelled yet`;
    const words = wordsByIndex(answer, panel.vocabulary);
    const shares = answer.classes.filter(({ index }) => words[index]?.shown).map(({ index, name }) => {
      let sum = 0;
      for (let score = document.unsure; score < 256; score++) sum += answer.counts[index * 256 + score];
      return `${name} ${Math.round((100 * sum) / answer.labels.labels.length)}%`;
    });
    return `${panel.title ? panel.title + ": " : ""}${photo.name} with ${shares.join(", ") || "no words"}. Arrow keys tell what is where.`;
  }
}

/** The layer over the photo at a size; nothing where there is none to show. */
export function layerOf(shown: Shown, width: number, height: number): ImageData | null {
  const { answer, document, panel, highlighted, range } = shown;
  if (!answer || document.layer === "photo") return null;
  const { labels: map } = answer;
  const fit = (values: Uint8Array) => scaled(values, map.width, map.height, width, height);
  if (document.layer !== "words") {
    const values = document.layer === "trust" ? answer.trust?.values : answer.scores.values;
    return values ? paintValues(fit(values), width, height, range ?? [0, 255], Math.max(document.opacity, 0.3)) : null;
  }
  const words = wordsByIndex(answer, panel.vocabulary);
  const labels = fit(map.labels);
  const scores = fit(answer.scores.values);
  const unsure = document.unsure ? new Uint8Array(labels.length) : null;
  for (let i = 0; i < labels.length; i++) {
    if (!words[labels[i]]?.shown) {
      labels[i] = NONE;
    } else if (scores[i] < document.unsure) {
      labels[i] = NONE;
      unsure![i] = 1;
    }
  }
  const stands = words.some((word) => word?.shown && word.name === highlighted);
  const paints = words.map((word): Paint => {
    if (!word?.shown) return undefined;
    if (!stands) return { colour: word.colour, opacity: document.opacity };
    return { colour: word.colour, opacity: document.opacity * (word.name === highlighted ? 1.4 : 0.25) };
  });
  return paintLabels({ width, height, labels }, paints, document.edges, unsure);
}

function tellAt({ answer, document, panel }: Shown, place: { x: number; y: number }): string {
  if (!answer) return "";
  const { width, height, labels } = answer.labels;
  const at = Math.min(height - 1, Math.floor(place.y * height)) * width + Math.min(width - 1, Math.floor(place.x * width));
  const value = (level: number) => (level / 255).toFixed(2);
  const score = answer.scores.values[at];
  const found = answer.classes.find(({ index }) => index === labels[at]);
  const word = found && wordsByIndex(answer, panel.vocabulary)[found.index];
  const trust = document.layer === "trust" && answer.trust ? `, trust ${value(answer.trust.values[at])}` : "";
  if (!found) return `no word${trust}`;
  if (score < document.unsure) return `not sure: ${found.name} ${value(score)}${trust}`;
  return `${found.name} ${value(score)}${word?.shown === false ? ", hidden" : ""}${trust}`;
}

const clamp = (value: number, least = 0, most = 1) => Math.min(Math.max(value, least), most);
