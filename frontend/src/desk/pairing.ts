// The pairing preview: marks masks on another grid and lets rows go without a reload.
import { setText } from "../dom";
import { findPlace } from "./following";
import { send } from "./quiet";

/** As many letters of a name as the select shows. */
const SHOWN = 42;

export function wakePairing(
  form: HTMLFormElement,
  exchange: (html: string) => void,
): void {
  const tell = (): void => {
    markMisfits(form);
    tellNames(form);
    countUses(form);
  };
  form.addEventListener("change", tell);
  form.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("[data-quiet]");
    if (button) sendQuietly(event, form, button, exchange);
  });
  form.addEventListener("submit", (event) => {
    // neither a question answered with no nor another button imports
    if (!event.defaultPrevented && !event.submitter?.hasAttribute("formaction")) busy(form);
  });
  tell();
}

/** Says at once what the import would refuse: a mask of another shape. */
function markMisfits(form: HTMLFormElement): void {
  for (const select of form.querySelectorAll("select")) {
    const shape = select.closest("tr")!.dataset["shape"];
    const mask = select.selectedOptions[0]?.dataset["shape"];
    const note = select.closest("div")!.querySelector<HTMLElement>(".misfit");
    if (note) note.hidden = !mask || mask === shape;
  }
}

/** Masks' names differ at their ends, which a narrow select cuts off. */
function tellNames(form: HTMLFormElement): void {
  for (const select of form.querySelectorAll("select")) {
    const name = select.value && select.selectedOptions[0]!.text;
    const note = select.closest("div")!.querySelector<HTMLElement>("[data-full]");
    select.title = name;
    if (!note) continue;
    setText(note, name);
    note.hidden = name.length <= SHOWN;
  }
}

function countUses(form: HTMLFormElement): void {
  const uses = new Map<string, number>();
  for (const { value } of form.querySelectorAll("select")) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  for (const row of form.querySelectorAll<HTMLElement>("tr[data-mask]")) {
    const count = uses.get(row.dataset["mask"]!) ?? 0;
    row.querySelector("[data-uses]")!.textContent = String(count);
    row.querySelector<HTMLElement>("[data-unused]")!.hidden = count > 0;
  }
}

function sendQuietly(
  event: Event,
  form: HTMLFormElement,
  button: HTMLButtonElement,
  exchange: (html: string) => void,
): void {
  event.preventDefault();
  const place = findPlace(button);
  button.disabled = true;
  void send(button.formAction, new FormData(form), place, exchange);
}

/** Importing takes seconds: one press is enough, and the button says that it works. */
function busy(form: HTMLFormElement): void {
  const button = document.querySelector<HTMLButtonElement>(`button[form="${form.id}"]`);
  if (!button) return;
  button.disabled = true;
  button.textContent = "Importing…";
}
