// Sends one file piece by piece; a file that broke off goes on where it stopped.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 8 * 2 ** 20;
const PAUSES = [1, 3, 8, 20];
const TUS = { "Tus-Resumable": "1.0.0" };

/** What the server says of a file, or a sentence why it says nothing. */
export interface Answer {
  readonly row?: string;
  readonly detail?: string;
  readonly verdict?: string;
  readonly files?: readonly Planned[];
  readonly place?: string;
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

export type Progress = (sent: number) => void;

/** Sends a file whole and asks for its verdict. */
export async function transfer(
  url: string,
  file: File,
  path: string,
  origin: Record<string, unknown>,
  token: Token,
  progress: Progress,
): Promise<Answer> {
  // the server keeps what was said of a file first, so other words begin anew
  const said = JSON.stringify(origin);
  const key = `transfer|${url}|${path}|${file.size}|${file.lastModified}|${said}`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const place = await find(key) ?? await begin(url, key, file, origin, token);
      if (!("offset" in place)) return place;
      const digest = await sendAll(place, file, token, progress);
      const answer = await post(`${place.url}/finish`, { sha256: digest }, token);
      localStorage.removeItem(key);
      return { ...answer, place: place.url };
    } catch (fault) {
      if (fault instanceof Refusal) return { detail: fault.message };
      const pause = PAUSES[attempt];
      if (pause === undefined) return { detail: BROKEN };
      await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    }
  }
}

const BROKEN = "The connection broke. Choose this file again: sending goes on where it stopped.";
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
  url: string,
  key: string,
  file: File,
  origin: Record<string, unknown>,
  token: Token,
): Promise<Place | Answer> {
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
  file: File,
  token: Token,
  progress: Progress,
): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < file.size; ) {
    // pieces that the server has already are only hashed again
    const end = at < offset
      ? Math.min(at + PIECE, offset)
      : Math.min(at + PIECE, file.size);
    const bytes = new Uint8Array(await file.slice(at, end).arrayBuffer());
    hash.update(bytes);
    if (at >= offset) await sendPiece(url, at, bytes, token, (sent) => {
      progress((at + sent) / file.size);
    });
    at = end;
    progress(at / file.size);
  }
  return bytesToHex(hash.digest());
}

function sendPiece(
  place: string,
  offset: number,
  bytes: Uint8Array<ArrayBuffer>,
  token: Token,
  progress: Progress,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", place);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Tus-Resumable", "1.0.0");
    request.setRequestHeader("Upload-Offset", String(offset));
    request.setRequestHeader("Content-Type", "application/offset+octet-stream");
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status === 204) resolve();
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
