// Marked rows in words: how many, which, and how many of them a filter hides.

export interface Marked {
  readonly names: readonly string[];
  readonly hidden: number;
}

const FIRST = 6;

/** Fills "{marked}" of a question, then names the rows, as some may be out of sight. */
export function nameMarked(question: string, { names, hidden }: Marked): string {
  const count = `${names.length} case${names.length === 1 ? "" : "s"}`;
  const asked = question.replace("{marked}", count);
  return [asked, "", `${list(names)}.`, ...tellHidden(names.length, hidden)].join("\n");
}

/** For the line above a table: "12 marked, 3 of them hidden by the filter". */
export function countMarked({ names, hidden }: Marked): string {
  if (!names.length) return "";
  return `${names.length} marked${hidden ? `, ${hidden} of them hidden by the filter` : ""}`;
}

function list(names: readonly string[]): string {
  const rest = names.length - FIRST;
  // "and 1 more" would be longer than the name
  if (rest < 2) return names.join(", ");
  return `${names.slice(0, FIRST).join(", ")} and ${rest} more`;
}

function tellHidden(count: number, hidden: number): string[] {
  if (!hidden) return [];
  if (count === 1) return ["It is hidden by the filter."];
  return [`${hidden} of them ${hidden === 1 ? "is" : "are"} hidden by the filter.`];
}

export function readMarked(form: HTMLFormElement): Marked {
  const rows = [...form.querySelectorAll<HTMLInputElement>("tbody .mark input:checked")]
    .map((box) => box.closest("tr")!);
  const name = (row: HTMLElement): string =>
    row.querySelector("th[scope=row] strong")!.textContent!.trim();
  return { names: rows.map(name).sort(), hidden: rows.filter((row) => row.hidden).length };
}
