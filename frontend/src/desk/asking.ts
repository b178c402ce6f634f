// A question before what is final: a form's own, or that of the button that was pressed.
import { nameMarked, readMarked } from "./marking";

export function askFirst(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    const question = findQuestion(form, event.submitter);
    if (!question) return;
    const marks = form.querySelector("[data-mark-all]");
    const asked = marks ? nameMarked(question, readMarked(form)) : question;
    if (!confirm(asked)) event.preventDefault();
  });
}

/** A button with an address of its own does something else than the form, and asks itself. */
function findQuestion(form: HTMLFormElement, pressed: HTMLElement | null): string | undefined {
  const own = pressed?.dataset["ask"];
  if (!pressed?.hasAttribute("formaction")) return own ?? form.dataset["ask"];
  const field = pressed.dataset["askEmpty"];
  // what is typed says itself what will be; an empty field takes something away
  if (field && readField(form, field)) return undefined;
  return own?.replace(/\{(\w+)\}/g, (spelt, name: string) => readField(form, name) || spelt);
}

/** What a field says, a choice in the words in which it was chosen. */
function readField(form: HTMLFormElement, name: string): string {
  const field = form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement | null;
  const chosen = field && "selectedOptions" in field ? field.selectedOptions[0]?.text : field?.value;
  return chosen?.trim() ?? "";
}
