import { expect, test } from "vitest";
import { countMarked, nameMarked } from "../src/desk/marking";

const ask = (names: string[], hidden = 0) =>
  nameMarked("Remove {marked} with all masks from the study?", { names, hidden });
const cases = (count: number) =>
  Array.from({ length: count }, (_, n) => `C${String(n + 1).padStart(3, "0")}`);

test("the question names every case while they are few", () => {
  expect(ask(["C004"])).toBe("Remove 1 case with all masks from the study?\n\nC004.");
  expect(ask(cases(7))).toContain("Remove 7 cases");
  expect(ask(cases(7))).toContain("C005, C006, C007.");
});

test("of many the first are named and the others counted", () => {
  expect(ask(cases(18))).toContain("C005, C006 and 12 more.");
});

test("what a filter hides and still is marked is said", () => {
  expect(ask(cases(18), 3)).toContain("\n3 of them are hidden by the filter.");
  expect(ask(cases(18), 1)).toContain("\n1 of them is hidden by the filter.");
  expect(ask(["C001"], 1)).toContain("\nIt is hidden by the filter.");
  expect(ask(cases(2))).not.toContain("filter");
});

test("the line above the table counts what is marked", () => {
  expect(countMarked({ names: [], hidden: 0 })).toBe("");
  expect(countMarked({ names: cases(4), hidden: 0 })).toBe("4 marked");
  expect(countMarked({ names: cases(4), hidden: 2 })).toBe("4 marked, 2 of them hidden by the filter");
});
