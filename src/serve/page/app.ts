import { type Model, Server, ServerError } from "./api.ts";
import { Chips, percent } from "./chips.ts";
import { heat } from "./colours.ts";
import { Controls } from "./controls.ts";
import { askForKey, prepareDialogs } from "./dialogs.ts";
import { type Document, EMPTY_DOCUMENT, History, vocabularyOf, withVocabulary } from "./document.ts";
import { type Format, makeFile, save } from "./downloads.ts";
import { element } from "./elements.ts";
import { shareOf, shareThatDiffers } from "./label_map.ts";
import { type Answer, Labeller, type Panel, panelsOf } from "./labeller.ts";
import { type Range, rangeOf } from "./paint.ts";
import { type Photo, PhotoError } from "./photo.ts";
import { type Place, PanelView, type Shown } from "./stage.ts";
import { listenForKeys } from "./keys.ts";
import { listenForPhotos } from "./sources.ts";

const SMALL = matchMedia("(max-width: 760px)");  // as in style.css

/** The page: a document that is changed, and everything that is drawn from it. */
class App {
  readonly history = new History(EMPTY_DOCUMENT);
  model: Model | null = null;
  #server = new Server(askForKey);
  #labeller = new Labeller(this.#server, () => this.render(), (photo, share) => this.#onSent(photo, share));
  #controls = new Controls(this);
  #chips = new Chips(element("chips"), {
    change: (name, change, kind) => this.change(withVocabulary(this.history.now, vocabularyOf(this.history.now)
      .map((word) => word.name === name ? { ...word, ...change } : word)), kind),
    remove: (name) => this.change(withVocabulary(this.history.now, vocabularyOf(this.history.now)
      .filter((word) => word.name !== name))),
    highlight: (name) => this.#highlight(name),
  });
  #views: PanelView[] = [];
  #lastAnswers = new Map<string, { photo: Photo; answer: Answer }>();  // by side and weighting: shown until the next one comes
  #highlighted: string | null = null;
  #sent = 1;
  #opening = false;
  #turn = 0;
  #drawing = 0;
  #alertOf: unknown = null;

  async start(): Promise<void> {
    element("alert-close").onclick = () => this.hideAlert();
    element("alert-retry").onclick = () => {
      this.hideAlert();
      if (this.model) {
        this.#labeller.retry();
        this.render();
      } else {
        void this.#loadModel();
      }
    };
    element("undo").onclick = () => this.undo();
    element("redo").onclick = () => this.redo();
    element("help-button").onclick = () => element<HTMLDialogElement>("help").showModal();
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-format]")) {
      button.onclick = () => void this.download(button.dataset.format as Format, button);
    }
    addEventListener("pagehide", () => this.#server.forgetEncodings());
    new ResizeObserver(() => this.render()).observe(element("panels"));
    this.render();
    await this.#loadModel();
  }

  change(document: Document, kind = ""): void {
    this.history.change(document, kind);
    this.render();
  }

  undo(): void {
    this.history.undo();
    this.render();
  }

  redo(): void {
    this.history.redo();
    this.render();
  }

  /** Shows a photo that `open` reads; `words` come with a sample. */
  async show(open: () => Promise<Photo>, words?: (document: Document) => Document): Promise<void> {
    this.hideAlert();
    const turn = ++this.#turn;
    this.#opening = true;
    this.render();
    try {
      const photo = await open();
      if (turn !== this.#turn) return;  // another one was opened meanwhile
      const document = { ...this.history.now, photo };
      this.change(words ? words(document) : document);
      if (!vocabularyOf(this.history.now).length) element("word").focus();
    } catch (error) {
      this.alert(error);
    } finally {
      this.#opening = turn !== this.#turn;
      this.render();
    }
  }

  alert(error: unknown, canRetry = false): void {
    const ours = (text: string) => (error instanceof ServerError ? sentence(text) : text);
    element("alert-message").textContent = ours(error instanceof Error ? error.message : String(error));
    element("alert-hint").textContent = error instanceof PhotoError || error instanceof ServerError ? ours(error.hint) : "";
    element("alert-retry").hidden = !canRetry;
    element("alert").hidden = false;
  }

  hideAlert(): void {
    element("alert").hidden = true;
    this.#alertOf = null;
  }

  /** Saves what is seen in the panel whose words the chips show. */
  async download(format: Format, button: HTMLButtonElement): Promise<void> {
    const { photo } = this.history.now;
    const panel = this.#panels().find((one) => this.#isCurrent(one));
    const answer = photo && panel && this.#labeller.answer(photo, panel.question);
    if (!photo || !panel || !answer) return this.say("There is nothing to download yet: the photo is not labelled.");
    button.disabled = true;
    try {
      const file = await makeFile(format, { photo, panel, answer, document: this.history.now });
      save(file);
      this.say(`Saved ${file.name}`);
    } catch (error) {
      this.alert(error);
    } finally {
      button.disabled = false;
    }
  }

  /** Tells something in the status line, also to a screen reader. */
  say(text: string): void {
    element("status").textContent = text;
  }

  render(): void {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#draw();
    });
  }

  #panels(): Panel[] {
    return panelsOf(this.history.now, this.model?.weightings ?? []);
  }

  #isCurrent(panel: Panel): boolean {
    const { side, weighting } = this.history.now;
    return panel.side === side && panel.weighting === weighting;
  }

  #draw(): void {
    const document = this.history.now;
    const { photo } = document;
    const panels = this.#panels();
    element("start").hidden = photo !== null;
    for (const id of ["panels", "strip", "view", "compare", "model-settings", "downloads"]) element(id).hidden = !photo;
    element("stage").classList.toggle("empty", !photo);
    if (photo && this.model) this.#labeller.want(photo, panels.map((panel) => panel.question));

    const shown = photo ? panels.map((panel) => this.#shown(photo, panel)) : [];
    const range = rangeTogether(shown.map(({ answer }) => document.layer === "trust" ? answer?.trustRange : answer?.scoreRange));
    shown.forEach((one) => { one.range = document.layer === "trust" || document.layer === "scores" ? range : null; });
    const current = shown.find(({ panel }) => this.#isCurrent(panel)) ?? shown[0];
    this.#controls.show(document, rangeTogether(shown.map(({ answer }) => answer?.scoreRange))?.[1] ?? 254);
    const stale = !photo || !current || !this.#labeller.answer(photo, current.panel.question);
    const vocabulary = vocabularyOf(document);
    this.#chips.show(vocabulary, vocabulary.length ? current?.answer : undefined, stale, document);
    element("warnings").textContent = stale ? "" : current?.answer?.warnings.join(" ") ?? "";
    this.#drawPanels(shown, current);
    this.#drawLegend(current);
    this.#drawProgress(photo, current, stale);
    this.#tellFailure(photo, panels);
  }

  #shown(photo: Photo, panel: Panel): Shown {
    const fresh = this.#labeller.answer(photo, panel.question);
    const place = `${panel.side} ${panel.weighting}`;
    if (fresh) this.#lastAnswers.set(place, { photo, answer: fresh });
    const last = this.#lastAnswers.get(place);
    const answer = panel.vocabulary.length && last?.photo === photo ? last.answer : undefined;
    return { photo, panel, answer, document: this.history.now, highlighted: this.#highlighted, note: "", action: "", range: null };
  }

  #drawPanels(shown: Shown[], current: Shown | undefined): void {
    const area = element("panels");
    while (this.#views.length < shown.length) {
      this.#views.push(new PanelView((place, aloud) => this.#tell(place, aloud), (panel) => this.#use(panel)));
    }
    this.#views.forEach((view, i) => {
      if (i >= shown.length) view.element.remove();
      else if (area.children[i] !== view.element) area.insertBefore(view.element, area.children[i] ?? null);
    });
    if (!shown.length || !area.clientWidth) return;
    const style = getComputedStyle(area);
    const gap = parseFloat(style.gap);
    const width = area.clientWidth - parseFloat(style.paddingLeft) * 2;
    const padding = parseFloat(style.paddingTop) * 2;
    // On a phone the stage is as high as the photo needs, and leaves room for the words.
    const height = (SMALL.matches ? window.innerHeight * 0.46 : area.clientHeight) - padding;
    const caption = shown.length > 1 ? 30 : 0;
    const boxes = shown.map((_, i) => i + 1).map((columns) => {
      const rows = Math.ceil(shown.length / columns);
      const box = { columns, width: (width - gap * (columns - 1)) / columns, height: (height - gap * (rows - 1)) / rows - caption };
      const { photo } = shown[0];
      return { ...box, scale: Math.min(box.width / photo.width, box.height / photo.height) };
    });
    const best = boxes.reduce((a, b) => (b.scale > a.scale ? b : a));
    area.style.gridTemplateColumns = `repeat(${best.columns}, minmax(0, 1fr))`;
    shown.forEach((one, i) => this.#views[i].draw({ ...one, ...this.#captionOf(one, current) }, best.width, best.height));
  }

  #captionOf({ panel, answer }: Shown, current: Shown | undefined): { note: string; action: string } {
    if (!panel.title) return { note: "", action: "" };
    const isCurrent = panel === current?.panel;
    if (this.history.now.comparison === "vocabularies") {
      const names = panel.vocabulary.map((word) => word.name).join(", ") || "no words yet";
      return { note: names.length > 48 ? `${names.slice(0, 47)}…` : names, action: isCurrent ? "" : "Edit" };
    }
    if (isCurrent) return { note: "in use", action: "" };
    const differs = answer && current?.answer ? `${percent(shareThatDiffers(answer.labels, current.answer.labels))} differs` : "";
    return { note: differs, action: "Use" };
  }

  #use(panel: Panel): void {
    this.change({ ...this.history.now, side: panel.side, weighting: panel.weighting });
  }

  #tell(place: Place, aloud: boolean): void {
    const words = this.#views.filter((view) => view.element.isConnected).map((view) => view.tell(place));
    if (aloud) element("spoken").textContent = words.filter(Boolean).join("; ");
  }

  #highlight(name: string | null): void {
    if (this.#highlighted === name) return;
    this.#highlighted = name;
    this.render();
  }

  #drawLegend(current: Shown | undefined): void {
    const { layer, unsure } = this.history.now;
    const answer = current?.answer;
    element("legend").hidden = !current?.range;
    if (current?.range) {
      const [least, most] = current.range;
      element("legend-name").textContent = layer === "trust" ? "trust" : "score";
      element("legend-least").textContent = (least / 255).toFixed(2);
      element("legend-most").textContent = (most / 255).toFixed(2);
      const bar = element<HTMLCanvasElement>("legend-bar");
      const context = bar.getContext("2d")!;
      for (let x = 0; x < bar.width; x++) {
        context.fillStyle = `rgb(${heat(x / (bar.width - 1)).join(" ")})`;
        context.fillRect(x, 0, 1, bar.height);
      }
    }
    const pixels = answer?.labels.labels.length ?? 0;
    const unsureShare = answer ? 1 - answer.classes.reduce((sum, { index }) => sum + shareOf(answer.counts, index, unsure, pixels), 0) : 0;
    element("unsure-share").textContent = !answer || !unsure ? "" : `${percent(unsureShare)} of the photo is not sure`;
  }

  #onSent(photo: Photo, share: number): void {
    if (photo !== this.history.now.photo) return;
    this.#sent = share;
    this.render();
  }

  #drawProgress(photo: Photo | null, current: Shown | undefined, stale: boolean): void {
    const bar = element("progress");
    const busy = this.#opening || this.#labeller.busy || !this.model;
    const sending = this.#labeller.busy && this.#sent < 1;
    bar.hidden = !busy || !element("alert").hidden;
    bar.classList.toggle("running", !sending);
    const done = bar.firstElementChild as HTMLElement;
    done.style.transform = sending ? `scaleX(${this.#sent})` : "";
    if (sending) bar.setAttribute("aria-valuenow", String(Math.round(this.#sent * 100)));
    else bar.removeAttribute("aria-valuenow");
    if (!photo) return;
    const size = `${photo.width} × ${photo.height}`;
    if (sending) this.say(`Sending the photo, ${Math.round(this.#sent * 100)}%`);
    else if (this.#labeller.busy) this.say(current?.answer ? `${size} · labelling…` : "The photo is being encoded…");
    else if (!stale && current?.answer) this.say(`${size} · labelled in ${Math.max(1, Math.round(current.answer.milliseconds))} ms`);
    else if (!vocabularyOf(this.history.now).length) this.say(`${size} · add words to look for`);
    else this.say(size);
  }

  #tellFailure(photo: Photo | null, panels: Panel[]): void {
    const failure = photo && panels.map((panel) => this.#labeller.failure(photo, panel.question)).find(Boolean);
    if (failure && failure !== this.#alertOf) {
      this.alert(failure, true);
      this.#alertOf = failure;
    } else if (!failure && this.#alertOf) {
      this.hideAlert();
    }
  }

  async #loadModel(): Promise<void> {
    try {
      this.model = await this.#server.model(() => { element("model").textContent = "the model is being loaded…"; });
      element("model").textContent = [this.model.name, this.model.mode].filter(Boolean).join(" · ");
      this.#controls.setWeightings(this.model.weightings);
    } catch (error) {
      this.alert(error, true);
    }
    this.render();
  }
}

/** From the least to the greatest of some ranges; null where there is none. */
function rangeTogether(ranges: (Range | null | undefined)[]): Range | null {
  const known = ranges.filter((range): range is Range => Boolean(range));
  return known.length ? rangeOf(known.flat()) : null;
}

/** The server's messages begin as they go on behind "error: ". */
function sentence(text: string): string {
  return text && text[0].toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".");
}

export type { App };

prepareDialogs();
const app = new App();
listenForPhotos(app);
listenForKeys(app);
void app.start();
