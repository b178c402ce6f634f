// Sends one file piece by piece; a file that broke off goes on where it stopped.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 8 * 2 ** 20;
const PAUSES = [1, 3, 8, 20];
const TUS = { "Tus-Resumable": "1.0.0" };

/** What the server says of a file, or a sentence why it says nothing. */
export interface Answer {
  readonly id?: string;
  readonly row?: string;
  readonly detail?: string;
  readonly verdict?: string;
  readonly files?: readonly Planned[];
  readonly place?: string;
  /** Nothing of the file is left, as was asked for. */
  readonly cancelled?: boolean;
}

export interface Planned {
  readonly path: string;
  readonly origin: Record<string, unknown>;
}

/** Where a file goes, and how much of it lies there. */
interface Place {
  readonly url: string;
  readonly offset: number;
}

/** Asked at each request, as signing in again changes it. */
export type Token = () => string;

/** Which share of the file is done, and how many bytes went over the line for it. */
export type Progress = (share: number, moved: number) => void;

/** A file, where it goes, and the signal that calls it back. */
export interface Parcel {
  readonly url: string;
  /** Where files that were taken in are removed again, each by its id. */
  readonly uploads: string;
  readonly file: File;
  readonly path: string;
  readonly origin: Record<string, unknown>;
  readonly token: Token;
  readonly signal: AbortSignal;
}

/** Sends a file whole and asks for its verdict. */
export async function transfer(parcel: Parcel, progress: Progress): Promise<Answer> {
  const key = nameKey(parcel);
  let asked = false;
  const ask = (): void => void (asked = true);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await sendOnce(parcel, key, progress, ask);
    } catch (fault) {
      if (parcel.signal.aborted) {
        const left = await forget(parcel);
        // whether it was taken in before the line broke, nobody said
        return left.cancelled && asked ? { detail: UNSURE } : left;
      }
      if (fault instanceof Refusal) return { detail: fault.message };
      const pause = PAUSES[attempt];
      if (pause === undefined) return { detail: BROKEN };
      await rest(pause, parcel.signal);
    }
  }
}

function nameKey({ url, file, path, origin }: Parcel): string {
  // the server keeps what was said of a file first, so other words begin anew
  const said = JSON.stringify(origin);
  return `transfer|${url}|${path}|${file.size}|${file.lastModified}|${said}`;
}

async function sendOnce(
  parcel: Parcel,
  key: string,
  progress: Progress,
  ask: () => void,
): Promise<Answer> {
  const { token, signal } = parcel;
  const place = await find(key) ?? await begin(parcel, key);
  if (!("offset" in place)) return place;
  const digest = await sendAll(place, parcel, progress);
  signal.throwIfAborted();
  ask();
  const answer = await post(`${place.url}/finish`, { sha256: digest }, token);
  if (signal.aborted && answer.id) {
    const gone = await remove(`${parcel.uploads}/${answer.id}`, token);
    return gone ? forget(parcel) : { detail: TAKEN };
  }
  if (signal.aborted) return forget(parcel);
  localStorage.removeItem(key);
  return { ...answer, place: place.url };
}

/** A cancelled file leaves nothing, whatever had arrived of it, now or days ago. */
export async function forget(parcel: Parcel): Promise<Answer> {
  const key = nameKey(parcel);
  const place = localStorage.getItem(key);
  if (place && !await remove(place, parcel.token)) return { detail: NOT_DISCARDED };
  localStorage.removeItem(key);
  return { cancelled: true };
}

/** Whether it is gone by now: what is not there any more is as gone. */
export async function remove(url: string, token: Token): Promise<boolean> {
  for (const pause of [...PAUSES.slice(0, 2), 0]) {
    const told = await fetch(url, {
      method: "DELETE", redirect: "manual", headers: { ...TUS, "X-CSRFToken": token() },
    }).catch(() => null);
    if (told && [204, 404].includes(told.status)) return true;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
  return false;
}

function rest(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

const BROKEN = "The connection broke. Choose this file again: sending goes on where it stopped.";
const NOT_DISCARDED = "It was stopped, but what had arrived could not be discarded. Reload the page: it stands under the unfinished uploads.";
const DISCARDED = "What had arrived was discarded meanwhile. Choose this file again to send it anew.";
const TAKEN = "It had arrived already: remove it from the list below.";
const UNSURE = "It was stopped while it was being checked, and no answer came. Reload the page: if it had arrived, it stands in the list below.";
const SIGNED_OUT = "You are signed out. Sign in again in another window, then choose this file again.";

class Refusal extends Error {}

/** The place of a file that was begun before, if the server still has it. */
async function find(key: string): Promise<Place | null> {
  const url = localStorage.getItem(key);
  if (!url) return null;
  const told = await fetch(url, { method: "HEAD", headers: TUS, redirect: "manual" });
  if (told.status === 200) return { url, offset: Number(told.headers.get("Upload-Offset")) };
  if (told.type === "opaqueredirect") throw new Refusal(SIGNED_OUT);
  if (told.status !== 404 && told.status !== 409) throw new Error(String(told.status));
  localStorage.removeItem(key);
  return null;
}

async function begin(
  { url, file, origin, token, signal }: Parcel,
  key: string,
): Promise<Place | Answer> {
  signal.throwIfAborted();
  const metadata = { filename: file.name, origin: JSON.stringify(origin) };
  const told = await fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: {
      ...TUS,
      "X-CSRFToken": token(),
      "Upload-Length": String(file.size),
      "Upload-Metadata": Object.entries(metadata)
        .map(([name, value]) => `${name} ${encode(value)}`).join(","),
    },
  });
  const place = told.headers.get("Location");
  if (told.status !== 201 || !place) return read(told);
  localStorage.setItem(key, place);
  return { url: place, offset: 0 };
}

function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** Sends what the server lacks; the SHA-256 of the whole file. */
async function sendAll(
  { url, offset }: Place,
  { file, token, signal }: Parcel,
  progress: Progress,
): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < file.size; ) {
    signal.throwIfAborted();
    // pieces that the server has already are only hashed again
    const end = at < offset
      ? Math.min(at + PIECE, offset)
      : Math.min(at + PIECE, file.size);
    const bytes = new Uint8Array(await file.slice(at, end).arrayBuffer());
    hash.update(bytes);
    let moved = 0;
    const tell = (sent: number): void => {
      progress((at + sent) / file.size, sent - moved);
      moved = sent;
    };
    if (at >= offset) {
      await sendPiece({ url, at, bytes, token, signal }, tell);
      tell(bytes.length);
    } else progress(end / file.size, 0);
    at = end;
  }
  return bytesToHex(hash.digest());
}

interface Piece {
  readonly url: string;
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly token: Token;
  readonly signal: AbortSignal;
}

function sendPiece(
  { url, at, bytes, token, signal }: Piece,
  tell: (sent: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", url);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Tus-Resumable", "1.0.0");
    request.setRequestHeader("Upload-Offset", String(at));
    request.setRequestHeader("Content-Type", "application/offset+octet-stream");
    request.upload.addEventListener("progress", (event) => tell(event.loaded));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.addEventListener("abort", () => reject(new Error("cancelled")));
    request.addEventListener("load", () => {
      if (request.status === 204) resolve();
      else if (request.status === 404) reject(new Refusal(DISCARDED));
      else if ([413, 423, 507].includes(request.status)) {
        const told = JSON.parse(request.responseText) as Answer;
        reject(new Refusal(told.detail));
      } else reject(new Error(String(request.status)));
    });
    request.addEventListener("error", () => reject(new Error("broken")));
    request.send(bytes);
  });
}

/** Posts a form and reads the answer; throws where the line is broken. */
export async function post(
  url: string,
  fields: Record<string, string>,
  token: Token,
): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return postForm(url, body, token);
}

export async function postForm(url: string, body: FormData, token: Token): Promise<Answer> {
  return read(await fetch(url, {
    method: "POST", body, redirect: "manual", headers: { "X-CSRFToken": token() },
  }));
}

export async function read(told: Response): Promise<Answer> {
  const type = told.headers.get("Content-Type") ?? "";
  if (type.includes("json")) return await told.json() as Answer;
  return {
    detail: told.type === "opaqueredirect" || told.status === 403
      ? SIGNED_OUT
      : `The server could not take this file in (error ${told.status}). Try again.`,
  };
}
