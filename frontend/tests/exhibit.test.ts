import { expect, test } from "vitest";
import { layoutOf, nameItems, rolesOf, wordsOf, type Exhibit } from "../src/exhibit";

const hang = (count: number, context: object | null = null) => ({
  items: Array.from({ length: count }, () => ({ context })), opening: { plane: "auto", zoom_mm: 0 },
}) as unknown as Exhibit;
const named = (exhibit: Exhibit, words: string[] = []) =>
  rolesOf(exhibit, false).map((role) => wordsOf(role, exhibit.items, words));

test("one pane for each mask, and one for a second series", () => {
  expect(rolesOf(null, false)).toEqual([{ plane: null, item: 0, second: false }]);
  expect(rolesOf(hang(2), false).map(({ item, second }) => [item, second]))
    .toEqual([[0, false], [1, false]]);
  expect(rolesOf(hang(1, {}), false).map(({ second }) => second)).toEqual([false, true]);
});

test("in three planes each of them has three panes, the second series last", () => {
  const roles = rolesOf(hang(2, {}), true);
  expect(roles).toHaveLength(9);
  expect(roles.slice(6).every(({ second }) => second)).toBe(true);
  expect(new Set(roles.map(({ plane }) => plane)).size).toBe(3);
});

test("panes lie in a row, the planes of one mask in a square, those of several in rows", () => {
  expect([layoutOf(1, false), layoutOf(3, false), layoutOf(3, true), layoutOf(6, true)])
    .toEqual(["1x1", "3x1", "2x2", "3x2"]);
});

test("several masks are called by their words, a mask beside a second series by what it is", () => {
  expect(named(hang(1))).toEqual([""]);
  expect(named(hang(2), ["Left: 4 good", "Right"])).toEqual(["Left: 4 good", "Right"]);
  expect(named(hang(1, {}))).toEqual(["Series with the mask", "Other series"]);
});

test("two, three and more are counted from the left", () => {
  expect([nameItems(2), nameItems(3), nameItems(4)[3]])
    .toEqual([["Left", "Right"], ["Left", "Middle", "Right"], "Image 4"]);
});
