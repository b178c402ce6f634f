// Talks to the rater API and names each way in which that can fail.

export interface Anchor {
  readonly value: number;
  readonly anchor: string;
}

export interface Question {
  readonly key: string;
  readonly text: string;
}

/** A reason for a low score that can be ticked beside it. */
export interface MarkKind {
  readonly key: string;
  readonly text: string;
}

/** What the coordinator would have given a practice item. */
export interface Reference {
  readonly values: Readonly<Record<string, number>>;
  readonly note: string;
}

/** A practice item answered: the rater's own values beside the reference. */
export interface Lesson {
  readonly own: Readonly<Record<string, number | null>>;
  readonly reference: Reference | null;
}

/** What the rater wrote to the coordinator, and the answers. */
export interface Words {
  readonly session: number;
  readonly position: number;
  readonly practice: boolean;
  readonly kind: WordsKind;
  readonly text: string;
  readonly answers: readonly { readonly text: string; readonly at: string }[];
}

export type WordsKind = "problem" | "question";

export type Mode = "single" | "sequential" | "side_by_side";

export interface StudyInfo extends Progress {
  readonly title: string;
  readonly instructions: string;
  readonly contact: string;
  readonly mode: Mode;
  readonly marks: readonly MarkKind[];
  readonly revisable: boolean;
  readonly change_reason: boolean;
  readonly session: {
    readonly number: number;
    readonly of: number;
    /** Keys of the session after this one, while any is to be rated, and of one before. */
    readonly next: string;
    readonly before: string;
    /** Once all are rated: another one that is not signed off. */
    readonly unsigned: { readonly number: number; readonly key: string } | null;
  };
  readonly signed: boolean;
  /** Whether the sources of masks are asked: only "open" leads anywhere. */
  readonly guess: string;
  /** How many of these questions are open, whether they can be answered yet or not. */
  readonly guess_left: number;
  readonly learned: readonly Lesson[];
  readonly words: readonly Words[];
  /** Until when the rater is asked to finish, as 2027-03-31. */
  readonly deadline: string | null;
  readonly scale: readonly Anchor[];
  readonly questions: readonly Question[];
  readonly reasons: readonly string[];
  readonly state: string;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly practice: Count;
  readonly seconds_left: number | null;
}

export interface Count {
  readonly done: number;
  readonly total: number;
}

export interface Item {
  readonly token: string;
  readonly image: string;
  readonly mask: string;
  /** Address of a second series of the same case, where the protocol provides one. */
  readonly context: string | null;
  /** It has a score already. */
  readonly done: boolean;
}

export interface Presentation {
  readonly position: number;
  readonly practice: boolean;
  readonly items: readonly Item[];
  readonly plane: "auto" | "axial" | "coronal" | "sagittal";
  /** Side in mm of the square around the image's centre to show at first; 0 for all. */
  readonly zoom_mm: number;
}

/** A rated presentation with what the rater gave, item by item. */
export interface Rated extends Presentation {
  readonly given: readonly Given[];
}

export interface Given {
  readonly revision: number;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly comment: string;
  readonly marks: readonly string[];
}

/** What another window stored first, as the server tells it. */
export interface Stored {
  readonly revision: number;
  readonly answers: Readonly<Record<string, { value: number | null; reason: string }>>;
  readonly comment: string;
}

export interface Next extends Progress {
  readonly current: Presentation | null;
  readonly ahead: Presentation | null;
  /** How many answers the coordinators gave to this rater's words. */
  readonly answers: number;
}

export type Answer = { readonly value: number } | { readonly reason: string };

/** What is sent for one item, kept word for word until the server has it. */
export interface ScoreBody {
  readonly client_key: string;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly comment: string;
  readonly marks: readonly string[];
  /** The revision that this answer changes, 0 for a first answer. */
  readonly base_revision: number;
  readonly change_reason: string;
  readonly active_ms: number;
  readonly conduct: Readonly<Record<string, number | string | boolean>>;
}

export interface Receipt {
  readonly saved: boolean;
  readonly replay: boolean;
  readonly reference: Reference | null;
  readonly done: number;
  readonly total: number;
}

/** offline: no answer; busy: try again later; refused: trying again cannot help. */
export type Failure = "offline" | "busy" | "signed-out" | "refused";

export class RequestError extends Error {
  constructor(
    readonly failure: Failure,
    message: string,
    readonly status = 0,
    readonly stored: Stored | null = null,
  ) {
    super(message);
  }
}

const PATIENCE = 30_000;

export function readStudy(base: string): Promise<StudyInfo> {
  return askJson<StudyInfo>(base);
}

export function readNext(base: string): Promise<Next> {
  return askJson<Next>(`${base}next`);
}

/** The server gave this address out: not finding it means that someone else is signed in. */
export async function sendScore(scores: string, body: ScoreBody): Promise<Receipt> {
  try {
    return await askJson<Receipt>(scores, withBody("PUT", body));
  } catch (error) {
    const lost = error instanceof RequestError && error.failure === "refused" && error.status === 404;
    if (!lost) throw error;
    throw new RequestError("signed-out", "Another person is signed in.", 404);
  }
}

export async function readGiven(base: string): Promise<readonly Rated[]> {
  return (await askJson<{ given: Rated[] }>(`${base}review`)).given;
}

export function signSession(base: string, password: string): Promise<unknown> {
  return askJson(`${base}sign`, withBody("POST", { password }));
}

/** Seconds until the sign-in ends by itself. */
export async function readSignIn(base: string): Promise<number> {
  return (await askJson<{ seconds_left: number }>(`${base}stay`)).seconds_left;
}

export async function prolongSignIn(base: string): Promise<number> {
  return (await askJson<{ seconds_left: number }>(`${base}stay`, withBody("POST", {}))).seconds_left;
}

export function sendGuess(token: string, body: unknown): Promise<unknown> {
  return askJson(`/api/items/${token}/guess`, withBody("PUT", body));
}

export function sendWords(
  base: string,
  token: string,
  kind: WordsKind,
  text: string,
): Promise<unknown> {
  return askJson(`${base}problem`, withBody("POST", { token, kind, text }));
}

export async function readWords(base: string): Promise<readonly Words[]> {
  return (await askJson<{ questions: Words[] }>(`${base}questions`)).questions;
}

/** The scores address of an item stands beside its image. */
export function scoresUrl(item: Item): string {
  return item.image.replace(/image$/, "scores");
}

/** A response with status 2xx, or a RequestError that says which way it failed. */
export async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...init });
  } catch (error) {
    if (init.signal?.aborted && isAbort(error)) throw error;
    throw new RequestError("offline", "The server cannot be reached.");
  }
  if (response.ok && !response.redirected) return response;
  throw await refusal(response);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

async function askJson<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await ask(url, { ...init, signal: AbortSignal.timeout(PATIENCE) });
  try {
    return (await response.json()) as T;
  } catch {
    throw new RequestError("busy", "The server's answer was cut short.");
  }
}

async function refusal(response: Response): Promise<RequestError> {
  const status = response.status;
  const { detail, stored } = await readProblem(response);
  if (status === 401 || status === 403 || response.redirected) {
    return new RequestError("signed-out", "You are signed out.", status);
  }
  const passing = status >= 500 || status === 408 || status === 425 || status === 429;
  // A refusal without a problem in JSON is a proxy's or a misconfigured server's, not ours.
  if (passing || !isOurs(response)) {
    return new RequestError("busy", detail || "The server is busy.", status);
  }
  return new RequestError("refused", detail || `The server refused (${status}).`, status, stored);
}

function isOurs(response: Response): boolean {
  return response.headers.get("Content-Type")?.startsWith("application/problem+json") ?? false;
}

async function readProblem(response: Response): Promise<{ detail: string; stored: Stored | null }> {
  const json = response.headers.get("Content-Type")?.includes("json");
  const body: unknown = json ? await response.json().catch(() => null) : null;
  const { detail, stored } = (body ?? {}) as { detail?: unknown; stored?: Stored };
  return { detail: typeof detail === "string" ? detail : "", stored: stored ?? null };
}

function withBody(method: string, body: unknown): RequestInit {
  return {
    method,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": readCsrf() },
  };
}

/** Read at each request: the token changes when somebody signs in again. */
export function readCsrf(): string {
  const cookie = /(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/.exec(document.cookie);
  const written = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
  return cookie?.[1] ?? written?.content ?? "";
}
