// Drafts of long forms in this tab's own storage: written, read, and let go of.

/** What was typed, by the fields' names, with what the form said of its own age. */
export interface Draft {
  readonly at: number;
  /** Sent, and no answer seen yet that it was stored. */
  readonly sent: boolean;
  readonly typed: Readonly<Record<string, readonly string[]>>;
  /** Hidden fields, such as the revision that was seen: another one by now is told. */
  readonly hidden: Readonly<Record<string, string>>;
}

export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

const PREFIX = "draft|";
export const SIGNED_OUT = "signed-out";

/** Where a form goes tells which it is, also on a page that refused it. */
export function nameDraft(person: string, action: string): string {
  return `${PREFIX}${person}|${action}`;
}

export function readDraft(shelf: Shelf, key: string): Draft | null {
  try {
    return JSON.parse(shelf.getItem(key) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

/** A full or forbidden storage hinders nobody from typing. */
export function writeDraft(shelf: Shelf, key: string, draft: Draft): void {
  try {
    shelf.setItem(key, JSON.stringify(draft));
  } catch { /* nothing is kept, and nothing is promised */ }
}

function listDrafts(shelf: Shelf): string[] {
  const keys = Array.from({ length: shelf.length }, (_, place) => shelf.key(place)!);
  return keys.filter((key) => key.startsWith(PREFIX));
}

/** At signing out; the mark tells other tabs of this browser. */
export function forgetAll(shelf: Shelf, marks: Shelf, now: number): void {
  for (const key of listDrafts(shelf)) shelf.removeItem(key);
  marks.setItem(SIGNED_OUT, String(now));
}

/** What is over on a new page: another person's, signed out from, or stored by now. */
export function tidy(shelf: Shelf, marks: Shelf, person: string, saved: boolean): void {
  const ended = Number(marks.getItem(SIGNED_OUT));
  for (const key of listDrafts(shelf)) {
    const draft = readDraft(shelf, key);
    const own = key.startsWith(nameDraft(person, ""));
    if (!draft || !own || draft.at < ended || (draft.sent && saved)) shelf.removeItem(key);
    else if (draft.sent) writeDraft(shelf, key, { ...draft, sent: false });
  }
}

export function isSame(one: Draft["typed"], other: Draft["typed"]): boolean {
  const spell = (typed: Draft["typed"]): string =>
    JSON.stringify(Object.keys(typed).sort().map((name) => [name, typed[name]]));
  return spell(one) === spell(other);
}

/** Whether a page shows what was typed into those of its fields that are still there. */
export function isHeld(typed: Draft["typed"], shown: Draft["typed"]): boolean {
  return Object.entries(typed).every(([name, values]) => {
    const now = shown[name];
    return !now || isSame({ name: values }, { name: now });
  });
}

/** "14:03", and the day too where it was another one. */
export function sayWhen(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (then.toDateString() === today.toDateString()) return time;
  return `${then.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}
