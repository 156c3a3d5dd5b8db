import type { GreyMap, LabelMap } from "./label_map.ts";
import { decodeOneChannel } from "./png.ts";

/** What went wrong, in words for the person at the page. */
export class ServerError extends Error {
  constructor(readonly kind: string, message: string, readonly hint = "", readonly retryAfter = 0) {
    super(message);
  }
}

export interface Model {
  name: string;
  mode: string;
  weightings: string[];  // empty where the model has no trusty token
}

/** A photo that the server keeps encoded. */
export interface Encoding {
  id: string;
  width: number;
  height: number;
}

/** What is asked about an encoded photo, as the API takes it but for the encoding. */
export interface Question {
  classes: { name: string; synonyms: string[] }[];
  background: false | "common";
  weighting?: string;
  refine: string;
  presence: number;
}

export interface ClassResult {
  index: number;
  name: string;
  score: number | null;  // mean over its pixels, 0 to 1; null where it has none
  presence: number | null;  // in the photo as a whole, 0 to 1
  seen: boolean | null;
}

/** The answer: the class of every pixel, and what the model says about each class. */
export interface Segmentation {
  labels: LabelMap;
  scores: GreyMap;
  trust: GreyMap | null;
  classes: ClassResult[];
  absent: { name: string; presence: number }[];
  warnings: string[];
  milliseconds: number;
}

/** The server's API. Every call throws a ServerError, or what its AbortSignal throws. */
export class Server {
  #key: string | null = sessionStorage.getItem("api-key");
  #kept = new Set<string>();  // ids of encodings

  /** `askForKey` is called when the server wants a key: it gives one, or null to give up. */
  constructor(private readonly askForKey: (wrong: boolean) => Promise<string | null>) {}

  /** The model that is served; waits while it is being loaded, which `onWait` hears. */
  async model(onWait: () => void): Promise<Model> {
    for (;;) {
      try {
        const answer = await (await this.#send("GET", "v1/models")).json();
        const model = answer.models[0];
        return { name: model.name, mode: model.mode, weightings: model.weights.length > 1 ? model.weights : [] };
      } catch (error) {
        if (!(error instanceof ServerError) || error.kind !== "not_ready") throw error;
        onWait();
        await pause(1);
      }
    }
  }

  /** Sends a photo to be encoded. `onSent` hears the share of it that has arrived, 0 to 1. */
  async encode(photo: Blob, onSent: (share: number) => void): Promise<Encoding> {
    const response = await this.#send("POST", "v1/encodings", photo, { onSent });
    const encoding: Encoding = await response.json();
    this.#kept.add(encoding.id);
    return encoding;
  }

  /**
   * Gives the memory of all encodings back, for when the page is left: the browser sends these requests without it.
   * A page that is shown again is told that they are gone, and encodes what it needs.
   */
  forgetEncodings(): void {
    const headers: HeadersInit = this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
    for (const id of this.#kept) {
      fetch(`v1/encodings/${id}`, { method: "DELETE", headers, keepalive: true }).catch(() => {});
    }
    this.#kept.clear();
  }

  async segment(encoding: string, question: Question, signal: AbortSignal): Promise<Segmentation> {
    const body = JSON.stringify({ encoding, ...question, outputs: ["labels", "confidence", "trusty"] });
    const response = await this.#send("POST", "v1/segment", body, { signal });
    const answer = await response.json();
    const { labels, confidence, trusty } = answer.outputs;
    const [map, scores, trust] = await Promise.all([picture(labels), picture(confidence), trusty ? picture(trusty) : null]);
    return {
      labels: { width: map.width, height: map.height, labels: map.values },
      scores,
      trust,
      classes: answer.classes,
      absent: answer.absent,
      warnings: answer.warnings,
      milliseconds: answer.milliseconds.segment,
    };
  }

  /** Sends a request again while the server is busy, and once a key was given. */
  async #send(method: string, path: string, body?: Blob | string, more: SendOptions = {}): Promise<Response> {
    for (let tries = 1; ; tries++) {
      const headers: Record<string, string> = {};
      if (typeof body === "string") headers["Content-Type"] = "application/json";
      else if (body) headers["Content-Type"] = body.type || "application/octet-stream";
      if (this.#key) headers.Authorization = `Bearer ${this.#key}`;
      const response = await request(method, path, headers, body, more);
      if (response.ok) return response;
      const error = await errorOf(response);
      if (response.status === 401) {
        const key = await this.askForKey(this.#key !== null);
        if (key === null) throw error;
        this.#key = key;
        sessionStorage.setItem("api-key", key);
      } else if (error.kind === "busy" && tries < 4) {
        await pause(Math.min(error.retryAfter || tries, 10));
      } else {
        throw error;
      }
    }
  }
}

interface SendOptions {
  signal?: AbortSignal;
  onSent?: (share: number) => void;
}

/** fetch(), with progress of what is sent, which fetch() itself does not tell. */
function request(method: string, path: string, headers: Record<string, string>, body: Blob | string | undefined,
                 { signal, onSent }: SendOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const call = new XMLHttpRequest();
    const stop = () => call.abort();
    signal?.addEventListener("abort", stop);
    call.open(method, path);
    call.responseType = "blob";
    for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
    if (onSent) call.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    call.onload = () => resolve(new Response(call.status === 204 ? null : call.response, {
      status: call.status,
      headers: { "Retry-After": call.getResponseHeader("Retry-After") ?? "" },
    }));
    call.onabort = () => reject(signal?.reason);
    call.onerror = () => reject(new ServerError("unreachable", "The server does not answer.",
                                                "See whether tagclip serve is still running, then try again."));
    call.onloadend = () => signal?.removeEventListener("abort", stop);
    call.send(body ?? null);
  });
}

async function errorOf(response: Response): Promise<ServerError> {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  try {
    const { error } = await response.json();
    return new ServerError(error.kind, error.message, error.hint ?? "", retryAfter);
  } catch {
    return new ServerError("internal", `The server answered with status ${response.status}.`, "", retryAfter);
  }
}

async function picture(base64: string): Promise<GreyMap> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return decodeOneChannel(bytes);
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
