// Shows only the rows of a table that contain what is typed, and says how many those are.
import { make, setText } from "../dom";

export function wakeFilters(input: HTMLInputElement): void {
  const table = document.getElementById(input.dataset["filter"]!) as HTMLTableElement;
  const told = make("span", { class: "soft small", role: "status" });
  const nothing = make("p", { class: "no-match", hidden: true });
  input.after(told);
  table.after(nothing);
  const show = (): void => {
    const rows = [...table.tBodies[0]!.rows];
    const sought = input.value.trim();
    const shown = hide(rows, sought.toLowerCase());
    setText(told, tellShown(sought, shown, rows.length));
    nothing.hidden = shown > 0;
    if (shown === 0) nothing.replaceChildren(`No case contains “${sought}”. `, makeClearing(input));
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  input.addEventListener("input", show);
}

/** How many rows are left in sight. */
function hide(rows: readonly HTMLTableRowElement[], sought: string): number {
  for (const row of rows) row.hidden = !row.textContent!.toLowerCase().includes(sought);
  return rows.filter((row) => !row.hidden).length;
}

export function tellShown(sought: string, shown: number, all: number): string {
  return sought ? `${shown} of ${all} shown` : "";
}

function makeClearing(input: HTMLInputElement): HTMLElement {
  return make("button", { type: "button", class: "button-plain", onclick: () => {
    input.value = "";
    // whoever listens for typing, such as the count of marked rows, hears it too
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  } }, "Clear the filter");
}
