import type { App } from "./app.ts";
import { comparisonOf } from "./controls.ts";
import { type Comparison, type Document, type Layer, vocabularyOf, withVocabulary } from "./document.ts";
import { element } from "./elements.ts";

const STORED = "single-keys";

/** Makes the keys of the help work. */
export function listenForKeys(app: App): void {
  const allowed = element<HTMLInputElement>("single-keys");
  allowed.checked = localStorage.getItem(STORED) !== "off";
  allowed.onchange = () => localStorage.setItem(STORED, allowed.checked ? "on" : "off");

  let layerBefore: Layer = "words";
  const change = (part: Partial<Document>, kind = "") => app.change({ ...app.history.now, ...part }, kind);
  const actions: Record<string, () => void> = {
    o: () => element("open").click(),
    w: () => element("word").focus(),
    l: () => change({ layer: next(layers(app), app.history.now.layer) }),
    p: () => {
      const { layer } = app.history.now;
      if (layer !== "photo") layerBefore = layer;
      change({ layer: layer === "photo" ? layerBefore : "photo" });
    },
    "[": () => change({ opacity: Math.max(0, app.history.now.opacity - 0.05) }, "opacity"),
    "]": () => change({ opacity: Math.min(1, app.history.now.opacity + 0.05) }, "opacity"),
    ",": () => change({ unsure: Math.max(0, app.history.now.unsure - 3) }, "unsure"),
    ".": () => change({ unsure: Math.min(Number(element<HTMLInputElement>("unsure").max), app.history.now.unsure + 3) }, "unsure"),
    e: () => change({ edges: !app.history.now.edges }),
    c: () => change(comparisonOf(app.history.now, next(comparisons(app), app.history.now.comparison))),
    d: () => document.querySelector<HTMLElement>("[data-format]")!.focus(),
    "?": () => element<HTMLDialogElement>("help").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const target = event.target as HTMLElement;
    const typing = target.matches("select, input:not([type]), input[type=password]");
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      // In a text field that holds something, undo is the field's.
      if (event.altKey || (typing && (target as HTMLInputElement).value)) return;
      if (key === "z" && !event.shiftKey) app.undo();
      else if (key === "y" || (key === "z" && event.shiftKey)) app.redo();
      else return;
      event.preventDefault();
      return;
    }
    if (typing || event.altKey || !allowed.checked) return;
    const word = /^[1-9]$/.test(key) ? vocabularyOf(app.history.now)[Number(key) - 1] : undefined;
    if (word) {
      app.change(withVocabulary(app.history.now, vocabularyOf(app.history.now)
        .map((one) => one === word ? { ...one, shown: !one.shown } : one)));
    } else if (actions[key] && (key === "?" || key === "o" || key === "w" || app.history.now.photo)) {
      actions[key]();
    } else {
      return;
    }
    event.preventDefault();
  });
}

const hasTrust = (app: App) => (app.model?.weightings.length ?? 0) > 0;
const layers = (app: App): Layer[] => hasTrust(app) ? ["words", "scores", "trust", "photo"] : ["words", "scores", "photo"];
const comparisons = (app: App): Comparison[] =>
  hasTrust(app) ? ["none", "weightings", "vocabularies"] : ["none", "vocabularies"];

function next<T>(list: T[], now: T): T {
  return list[(list.indexOf(now) + 1) % list.length];
}
