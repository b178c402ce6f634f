// What was chosen in the list that waits for import, carried over to a new copy of it.

type Field = HTMLSelectElement | HTMLInputElement;
const FIELDS = "#pairing :is(select, input[type=text], input[type=checkbox][name^='map:'])";

export function remember(): Map<string, Field> {
  return new Map(list().map((field) => [nameOf(field), field]));
}

export function restore(chosen: ReadonlyMap<string, Field>): void {
  for (const field of list()) {
    const old = chosen.get(nameOf(field));
    if (old) carry(old, field);
  }
}

function list(): Field[] {
  return [...document.querySelectorAll<Field>(FIELDS)];
}

function isTick(field: Field): field is HTMLInputElement & { type: "checkbox" } {
  return field.type === "checkbox";
}

/** Several maps of one image share a name. */
function nameOf(field: Field): string {
  return isTick(field) ? `${field.name}|${field.value}` : field.name;
}

function carry(old: Field, field: Field): void {
  if (isTick(field)) {
    if (isTouched(old)) field.checked = (old as HTMLInputElement).checked;
    return;
  }
  // what nobody emptied is only kept empty where there is nothing new to propose
  if (!old.value && !isTouched(old)) return;
  const known = field instanceof HTMLSelectElement
    ? [...field.options].some((option) => option.value === old.value)
    : true;
  if (known) field.value = old.value;
}

function isTouched(field: Field): boolean {
  if (field instanceof HTMLSelectElement) return field.value !== readDefault(field);
  return isTick(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

function readDefault(select: HTMLSelectElement): string {
  const options = [...select.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
}
