// Keeps what is typed into long forms across signing in, and offers it back once.
import { readCsrf } from "../api";
import { make } from "../dom";
import {
  forgetAll, isSame, nameDraft, readDraft, sayWhen, SIGNED_OUT, tidy, writeDraft, type Draft,
} from "./drafts";

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** What the server shows when nothing was typed; unknown where it refused something. */
const blank = new WeakMap<HTMLFormElement, Draft["typed"]>();

export function startKeeping(person: string | undefined): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("form[data-forget]")) forgetAll(sessionStorage, localStorage, Date.now());
    // a question before it was answered with no
    if (person && !event.defaultPrevented && form.matches("form[data-keep]")) send(form, person);
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
      const form = (event.target as Field).form;
      if (form?.matches("form[data-keep]")) keep(form, person);
    });
  }
}

/** Called for each form when its page opens. */
export function wakeKeeping(form: HTMLFormElement): void {
  const person = document.body.dataset["person"];
  if (!person) return;
  const draft = readDraft(sessionStorage, nameOf(form, person));
  const now = read(form);
  if (draft && isSame(draft.typed, now)) return;
  blank.set(form, now);
  if (draft) offer(form, draft, person);
}

function nameOf(form: HTMLFormElement, person: string): string {
  return nameDraft(person, new URL(form.getAttribute("action") || location.pathname, location.href).pathname);
}

function keep(form: HTMLFormElement, person: string, sent = false): void {
  const [key, typed] = [nameOf(form, person), read(form)];
  const empty = blank.get(form);
  if (empty && isSame(empty, typed)) return sessionStorage.removeItem(key);
  writeDraft(sessionStorage, key, { at: Date.now(), sent, typed, hidden: readHidden(form) });
}

/** The page may be older than the last signing in, the cookie is not. */
function send(form: HTMLFormElement, person: string): void {
  const token = form.elements.namedItem("csrfmiddlewaretoken");
  if (token instanceof HTMLInputElement) token.value = readCsrf() || token.value;
  keep(form, person, true);
}

function offer(form: HTMLFormElement, draft: Draft, person: string): void {
  const what = form.dataset["keep"];
  const notice = make("div", { class: "notice kept" },
    make("p", {}, `Your unsaved text from ${sayWhen(draft.at, Date.now())}${what ? ` (${what})` : ""}:`),
    make("button", { type: "button", class: "button button-small", onclick: () => {
      fill(form, draft);
      notice.remove();
    } }, "Put it back"),
    make("button", { type: "button", class: "button button-small", onclick: () => {
      sessionStorage.removeItem(nameOf(form, person));
      notice.remove();
    } }, "Discard"),
  );
  document.querySelector("#messages")?.append(notice);
}

function list(form: HTMLFormElement): Field[] {
  const kept = "input:not([type=hidden], [type=password], [type=file]), select, textarea";
  return [...form.elements].filter((one): one is Field => one.matches(kept) && (one as Field).name !== "");
}

function isTick(field: Field): field is HTMLInputElement {
  return field.type === "checkbox" || field.type === "radio";
}

function read(form: HTMLFormElement): Draft["typed"] {
  const typed: Record<string, string[]> = {};
  for (const field of list(form)) {
    const values = typed[field.name] ??= [];
    if (!isTick(field) || field.checked) values.push(field.value);
  }
  return typed;
}

function readHidden(form: HTMLFormElement): Record<string, string> {
  const hidden = [...form.querySelectorAll<HTMLInputElement>("input[type=hidden]")]
    .filter(({ name }) => name && name !== "csrfmiddlewaretoken");
  return Object.fromEntries(hidden.map(({ name, value }) => [name, value]));
}

/** The form as it was typed, from the page that it was typed on. */
function fill(form: HTMLFormElement, { typed, hidden }: Draft): void {
  const left = new Map(Object.entries(typed).map(([name, values]) => [name, [...values]]));
  let first: Field | null = null;
  for (const field of list(form)) {
    const values = left.get(field.name);
    if (!values) continue;
    const before = isTick(field) ? String(field.checked) : field.value;
    if (isTick(field)) field.checked = values.includes(field.value);
    else field.value = values.shift() ?? field.value;
    if (before === (isTick(field) ? String(field.checked) : field.value)) continue;
    first ??= field;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const field of form.querySelectorAll<HTMLInputElement>("input[type=hidden]")) {
    if (field.name in hidden) field.value = hidden[field.name]!;
  }
  const fold = form.closest("details");
  if (fold) fold.open = true;
  first?.focus();
}
