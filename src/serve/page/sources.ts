import type { App } from "./app.ts";
import { takePhoto } from "./dialogs.ts";
import { addWords, type Document, vocabularyOf, withVocabulary } from "./document.ts";
import { element } from "./elements.ts";
import { Photo, PhotoError } from "./photo.ts";

/** Words for the samples of index.html, which the server has. */
const SAMPLE_WORDS: Record<string, string> = {
  "cat.jpg": "cat, sofa, wall",
  "coffee.jpg": "mug, wooden table",
  "palace.jpg": "building / palace, sky, tree, water",
  "flower.jpg": "flower, sky",
};

/** Opens photos that are chosen, dropped anywhere, pasted, taken with the camera, or samples. */
export function listenForPhotos(app: App): void {
  const openFile = (file: Blob, name: string) => app.show(() => Photo.open(file, name));
  const openFirst = async (files: File[]) => {
    if (!files.length) return;
    await openFile(files[0], files[0].name || "pasted photo.png");
    if (files.length > 1) app.say(`One photo at a time: ${files[0].name} of ${files.length} files`);
  };

  if (!isThisMachine()) element("host").textContent = `the server ${location.host}`;
  element("strip-samples").append(...[...element("start-samples").children].map((button) => button.cloneNode(true)));
  for (const button of document.querySelectorAll<HTMLElement>("[data-sample]")) {
    const name = button.dataset.sample!;
    button.onclick = () => void app.show(() => sample(name), (document) => withSampleWords(document, SAMPLE_WORDS[name]));
  }

  for (const id of ["file", "capture"]) {
    const field = element<HTMLInputElement>(id);
    field.onchange = () => {
      const files = [...(field.files ?? [])];
      field.value = "";  // so that the same file can be chosen again
      void openFirst(files);
    };
  }
  for (const id of ["open", "start-open"]) element(id).onclick = () => element("file").click();
  for (const id of ["camera", "start-camera"]) element(id).onclick = () => void useCamera(app, openFile);

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    void openFirst(files);
  });

  const zone = element("drop");
  const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragenter", (event) => { if (holdsFiles(event)) zone.hidden = false; });
  document.addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.hidden = true; });
  document.addEventListener("drop", (event) => {
    zone.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    void openFirst([...event.dataTransfer!.files]);
  });
}

async function sample(name: string): Promise<Photo> {
  const response = await fetch(`samples/${name}`).catch(() => null);
  if (!response?.ok) throw new PhotoError(`The sample ${name} cannot be had.`, "See whether tagclip serve is still running.");
  return Photo.open(await response.blob(), name);
}

/** A sample brings its words, unless the person has chosen own ones. */
function withSampleWords(document: Document, words: string): Document {
  const names = vocabularyOf(document).map((word) => word.name).join();
  const untouched = !names || Object.values(SAMPLE_WORDS).some((sample) => addWords([], sample).vocabulary.map((word) => word.name).join() === names);
  return untouched ? withVocabulary(document, addWords([], words).vocabulary) : document;
}

async function useCamera(app: App, open: (file: Blob, name: string) => Promise<void>): Promise<void> {
  // Without https only the page of this machine may see the camera; phones then offer theirs for the file.
  if (!navigator.mediaDevices) return element("capture").click();
  try {
    const photo = await takePhoto();
    if (photo) await open(photo, "camera.jpg");
  } catch (error) {
    const denied = error instanceof DOMException && error.name === "NotAllowedError";
    app.alert(denied ? new PhotoError("The browser does not let this page use the camera.", "Allow it in the browser's address bar, or choose a file.")
                     : new PhotoError("There is no camera to use.", "Choose a file instead."));
  }
}

const isThisMachine = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
