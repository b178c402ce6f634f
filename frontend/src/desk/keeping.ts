// Keeps what is typed into long forms across signing in, and offers it back once.
import { readCsrf } from "../api";
import { make } from "../dom";
import {
  forgetAll, isHeld, isSame, nameDraft, readDraft, sayWhen, SIGNED_OUT, tidy, writeDraft, type Draft,
} from "./drafts";
import { fill, read, readHidden, readTouched, type Field } from "./fields";

/** What the server shows when nothing was typed; unknown where it refused something. */
const blank = new WeakMap<HTMLFormElement, Draft["typed"]>();

export function startKeeping(person: string | undefined): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("form[data-forget]")) forgetAll(sessionStorage, localStorage, Date.now());
    // a question before it was answered with no
    if (person && !event.defaultPrevented && form.matches("form[data-keep]")) send(form, person, event.submitter);
  });
  if (!person) return;
  const saved = document.querySelector("#messages .notice-success") !== null;
  tidy(sessionStorage, localStorage, person, saved);
  // another tab was signed out from
  addEventListener("storage", ({ key }) => {
    if (key === SIGNED_OUT) tidy(sessionStorage, localStorage, person, false);
  });
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const field = event.target as Field;
      if (field.form?.matches("form[data-keep]")) keep(field.form, person, field);
    });
  }
}

/** Called for each form when its page opens. */
export function wakeKeeping(form: HTMLFormElement): void {
  const person = document.body.dataset["person"];
  if (!person) return;
  const draft = readDraft(sessionStorage, nameOf(form, person));
  if (isVast(form)) {
    if (draft && !isHeld(draft.typed, read(form))) offer(form, draft, person);
    return;
  }
  const now = read(form);
  if (draft && isSame(draft.typed, now)) return;
  blank.set(form, now);
  if (draft) offer(form, draft, person);
}

function nameOf(form: HTMLFormElement, person: string): string {
  return nameDraft(person, new URL(form.getAttribute("action") || location.pathname, location.href).pathname);
}

/** Of a form with thousands of fields only those are kept that somebody touched. */
function isVast(form: HTMLFormElement): boolean {
  return form.hasAttribute("data-keep-touched");
}

function keep(form: HTMLFormElement, person: string, touched: Field | null, sent = false): void {
  const key = nameOf(form, person);
  if (isVast(form)) return keepTouched(form, key, touched, sent);
  const typed = read(form);
  const empty = blank.get(form);
  if (empty && isSame(empty, typed)) return sessionStorage.removeItem(key);
  writeDraft(sessionStorage, key, { at: Date.now(), sent, typed, hidden: readHidden(form) });
}

function keepTouched(form: HTMLFormElement, key: string, touched: Field | null, sent: boolean): void {
  const before = readDraft(sessionStorage, key)?.typed;
  const typed = { ...before, ...(touched ? readTouched(form, touched) : {}) };
  if (!Object.keys(typed).length) return;
  writeDraft(sessionStorage, key, { at: Date.now(), sent, typed, hidden: {} });
}

/** The page may be older than the last signing in, the cookie is not. */
function send(form: HTMLFormElement, person: string, pressed: HTMLElement | null): void {
  const token = form.elements.namedItem("csrfmiddlewaretoken");
  if (token instanceof HTMLInputElement) token.value = readCsrf() || token.value;
  // a button that sends a part of a long list leaves what was typed into the rest
  keep(form, person, null, !pressed?.hasAttribute("data-part"));
}

function offer(form: HTMLFormElement, draft: Draft, person: string): void {
  const what = form.dataset["keep"];
  const notice = make("div", { class: "notice kept" },
    make("p", {}, `Your unsaved text from ${sayWhen(draft.at, Date.now())}${what ? ` (${what})` : ""}:`),
    make("button", { type: "button", class: "button button-small", onclick: () => {
      putBack(form, draft);
      notice.remove();
    } }, "Put it back"),
    make("button", { type: "button", class: "button button-small", onclick: () => {
      sessionStorage.removeItem(nameOf(form, person));
      notice.remove();
    } }, "Discard"),
  );
  document.querySelector("#messages")?.append(notice);
}

function putBack(form: HTMLFormElement, draft: Draft): void {
  const changed = fill(form, draft);
  // one word to the whole of a vast form: each listener looks through all its fields
  const heard: Element[] = isVast(form) ? [form] : changed;
  for (const one of heard) one.dispatchEvent(new Event("change", { bubbles: true }));
  const fold = form.closest("details");
  if (fold) fold.open = true;
  changed[0]?.focus();
}
