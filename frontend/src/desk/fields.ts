// Reads what is typed into a form's fields, and puts it back.
import type { Draft } from "./drafts";

export type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
type Typed = Draft["typed"];

const KEPT = ":is(input:not([type=hidden], [type=password], [type=file]), select, textarea):not([data-unkept])";

function list(form: HTMLFormElement): Field[] {
  return [...form.elements].filter(isKept);
}

function isKept(one: Element | Node): one is Field {
  return (one as Element).matches(KEPT) && (one as Field).name !== "";
}

function isTick(field: Field): field is HTMLInputElement {
  return field.type === "checkbox" || field.type === "radio";
}

export function read(form: HTMLFormElement): Typed {
  return spell(list(form));
}

/** The same of those fields alone that share one's name. */
export function readTouched(form: HTMLFormElement, { name }: Field): Typed {
  const found = form.elements.namedItem(name);
  const fields = found instanceof RadioNodeList ? [...found] as Element[] : found ? [found] : [];
  return spell(fields.filter(isKept));
}

function spell(fields: readonly Field[]): Typed {
  const typed: Record<string, string[]> = {};
  for (const field of fields) {
    const values = typed[field.name] ??= [];
    if (!isTick(field) || field.checked) values.push(field.value);
  }
  return typed;
}

export function readHidden(form: HTMLFormElement): Record<string, string> {
  const hidden = [...form.querySelectorAll<HTMLInputElement>("input[type=hidden]")]
    .filter(({ name }) => name && name !== "csrfmiddlewaretoken");
  return Object.fromEntries(hidden.map(({ name, value }) => [name, value]));
}

/** The form as it was typed, from the page that it was typed on; the fields that changed. */
export function fill(form: HTMLFormElement, { typed, hidden }: Draft): Field[] {
  const left = new Map(Object.entries(typed).map(([name, values]) => [name, [...values]]));
  const changed: Field[] = [];
  for (const field of list(form)) {
    const values = left.get(field.name);
    if (values && put(field, values)) changed.push(field);
  }
  for (const field of form.querySelectorAll<HTMLInputElement>("input[type=hidden]")) {
    if (field.name in hidden) field.value = hidden[field.name]!;
  }
  return changed;
}

function put(field: Field, values: string[]): boolean {
  const before = isTick(field) ? String(field.checked) : field.value;
  if (isTick(field)) field.checked = values.includes(field.value);
  else setValue(field, values.shift() ?? field.value);
  return before !== (isTick(field) ? String(field.checked) : field.value);
}

/** A choice that is gone by now leaves the field as it is. */
function setValue(field: Field, value: string): void {
  const gone = "options" in field && ![...field.options].some((option) => option.value === value);
  if (!gone) field.value = value;
}
