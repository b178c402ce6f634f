// Sorting and marking of table rows.
import { setText } from "../dom";
import { countMarked, readMarked } from "./marking";

/** Every header with data-sort becomes a button; numbers sort as numbers. */
export function wakeSorting(table: HTMLTableElement): void {
  for (const header of table.tHead!.querySelectorAll<HTMLElement>("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(table, header));
  }
}

function sortBy(table: HTMLTableElement, header: HTMLElement): void {
  const up = header.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead!.querySelectorAll("th")) {
    other.removeAttribute("aria-sort");
  }
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  const column = (header as HTMLTableCellElement).cellIndex;
  const compare = header.dataset["sort"] === "number" ? compareNumbers : compareWords;
  const body = table.tBodies[0]!;
  const rows = [...body.rows].map((row) => ({ row, text: read(row, column) }));
  rows.sort((a, b) => compare(a.text, b.text) * (up ? 1 : -1));
  body.append(...rows.map(({ row }) => row));
}

function read(row: HTMLTableRowElement, column: number): string {
  const cell = row.cells[column];
  return cell?.dataset["value"] ?? cell?.textContent?.trim() ?? "";
}

function compareWords(a: string, b: string): number {
  return a.localeCompare(b, undefined, { numeric: true });
}

/** The product of all numbers in a cell, so that 0.6 × 0.6 × 3 sorts by volume. */
function compareNumbers(a: string, b: string): number {
  return size(a) - size(b);
}

function size(text: string): number {
  const numbers = text.replaceAll(",", "").match(/\d+(\.\d+)?/g);
  return numbers ? numbers.reduce((product, n) => product * Number(n), 1) : -1;
}

/** One box marks all rows that are shown; buttons wait until one is marked. */
export function wakeMarks(master: HTMLInputElement): void {
  const form = master.form!;
  const boxes = (): HTMLInputElement[] =>
    [...form.querySelectorAll<HTMLInputElement>("tbody .mark input")];
  const tell = (): void => {
    const marked = boxes().filter((box) => box.checked).length;
    const count = form.querySelector<HTMLElement>("[data-marked]");
    if (count) setText(count, countMarked(readMarked(form)));
    master.checked = marked > 0 && marked === boxes().length;
    master.indeterminate = marked > 0 && !master.checked;
    for (const button of form.querySelectorAll<HTMLButtonElement>("[data-needs-marked]")) {
      button.disabled = marked === 0;
    }
  };
  master.addEventListener("change", () => {
    for (const box of boxes()) {
      if (!box.closest("tr")!.hidden) box.checked = master.checked;
    }
    tell();
  });
  form.addEventListener("change", tell);
  // what is typed into the filter hides rows that stay marked
  form.addEventListener("input", (event) => {
    if ((event.target as Element).matches("[data-filter]")) tell();
  });
  tell();
}
