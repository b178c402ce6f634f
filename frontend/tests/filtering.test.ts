import { expect, test, vi } from "vitest";
import { wakeFilters } from "../src/desk/filtering";
import { Piece } from "./page";

/** A table of three cases with its filter: the rows, and what is said beside and below. */
function open() {
  const rows = ["C001 T2w", "C002 T1w", "C003 T2w"].map((textContent) => ({ textContent, hidden: false }));
  const said: Piece[] = [];
  const keep = (piece: Piece) => { said.push(piece); };
  const table = { tBodies: [{ rows }], after: keep };
  vi.stubGlobal("document", { getElementById: () => table, createElement: () => new Piece() });
  const input = Object.assign(new Piece(), { after: keep, focus: () => undefined, dispatchEvent: () => input.tell("input") });
  input.dataset = { filter: "cases" };
  wakeFilters(input as unknown as HTMLInputElement);
  const type = (text: string): void => {
    input.value = text;
    input.tell("input");
  };
  const [told, nothing] = said as [Piece, Piece];
  return { rows, told, nothing, type };
}

test("rows without what is typed go out of sight, and the others are counted", () => {
  const { rows, told, nothing, type } = open();
  type(" t2W ");
  expect(rows.map(({ hidden }) => hidden)).toEqual([false, true, false]);
  expect(told.textContent).toBe("2 of 3 shown");
  expect(nothing.hidden).toBe(true);
  type("");
  expect(rows.some(({ hidden }) => hidden)).toBe(false);
  expect(told.textContent).toBe("");
});

test("a filter that fits nothing says so and can be cleared there", () => {
  const { rows, told, nothing, type } = open();
  type("zzz");
  expect(told.textContent).toBe("0 of 3 shown");
  expect(nothing.hidden).toBe(false);
  expect(nothing.textContent).toBe("No case contains “zzz”. Clear the filter");
  (nothing.parts[1] as Piece).click();
  expect(nothing.hidden).toBe(true);
  expect(rows.some(({ hidden }) => hidden)).toBe(false);
});
