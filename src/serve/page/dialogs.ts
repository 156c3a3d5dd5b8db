import { element } from "./elements.ts";

const KEYS: [string, string][] = [
  ["O", "choose a photo"],
  ["Ctrl V", "paste a photo"],
  ["W", "type words"],
  ["1 … 9", "hide or show a word"],
  ["L", "the next layer: words, scores, trusty map, photo"],
  ["P", "the photo alone, and back"],
  ["[ ]", "less or more opacity"],
  [", .", "fewer or more places that are not sure"],
  ["E", "edges"],
  ["C", "side by side: weightings, two vocabularies, off"],
  ["D", "to the downloads"],
  ["Ctrl Z", "undo"],
  ["Ctrl Shift Z", "redo"],
  ["← ↑ ↓ →", "with the photo in focus: what is where; with Shift in larger steps"],
  ["?", "this help"],
];

/** Fills the help, and makes the buttons of all dialogs that close them do so. */
export function prepareDialogs(): void {
  for (const [keys, meaning] of KEYS) {
    const term = document.createElement("dt");
    for (const key of keys.split(" ")) {
      const cap = document.createElement(/[…]/.test(key) ? "span" : "kbd");
      cap.textContent = key;
      term.append(cap, " ");
    }
    const text = document.createElement("dd");
    text.textContent = meaning;
    element("keys").append(term, text);
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelectorAll<HTMLElement>("[data-close]").forEach((button) => { button.onclick = () => dialog.close(); });
    // A click beside the dialog meets the dialog itself, one inside meets what is in it.
    dialog.onclick = (event) => {
      const box = dialog.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (event.target === dialog && event.detail > 0 && !inside) dialog.close();
    };
  }
}

/** Asks for the server's key; null where the person gives none. */
export function askForKey(wrong: boolean): Promise<string | null> {
  const dialog = element<HTMLDialogElement>("key-dialog");
  const field = element<HTMLInputElement>("key");
  element("key-wrong").hidden = !wrong;
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    element<HTMLFormElement>("key-form").onsubmit = () => { dialog.returnValue = "given"; };
    dialog.onclose = () => resolve(dialog.returnValue === "given" ? field.value.trim() : null);
  });
}

/** Takes a photo with the camera; null where the person does not. Throws what getUserMedia throws. */
export async function takePhoto(): Promise<Blob | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
  const dialog = element<HTMLDialogElement>("camera-dialog");
  const video = element<HTMLVideoElement>("video");
  video.srcObject = stream;
  dialog.showModal();
  try {
    return await new Promise((resolve) => {
      dialog.onclose = () => resolve(null);
      element("shoot").onclick = () => {
        if (!video.videoWidth) return;
        const canvas = document.createElement("canvas");
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        canvas.getContext("2d")!.drawImage(video, 0, 0);
        canvas.toBlob((blob) => resolve(blob), "image/jpeg", 0.95);
      };
    });
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    dialog.onclose = null;
    dialog.close();
  }
}
