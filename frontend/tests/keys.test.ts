import { expect, test } from "vitest";
import { actsOnce, interpret, KEY_CARD, listImageKeys, listKeys, type Press } from "../src/keys";

const press = (key: string, change: Partial<Press> = {}): Press => ({
  key, code: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...change,
});

test.each([
  ["1", { kind: "digit", value: 1 }],
  ["9", { kind: "digit", value: 9 }],
  ["Enter", { kind: "confirm" }],
  ["Backspace", { kind: "clear" }],
  ["n", { kind: "cannot" }],
  ["N", { kind: "cannot" }],
  ["ArrowUp", { kind: "scroll", by: 1 }],
  ["PageDown", { kind: "scroll", by: -5 }],
  ["Home", { kind: "first" }],
  ["End", { kind: "last" }],
  [" ", { kind: "hide" }],
  ["[", { kind: "opacity", by: -0.1 }],
  ["?", { kind: "help" }],
])("%j means %j", (key, command) => {
  expect(interpret(press(key))).toEqual(command);
});

test("the numeric pad gives digits", () => {
  expect(interpret(press("4", { code: "Numpad4" }))).toEqual({ kind: "digit", value: 4 });
});

test("the top row gives digits on layouts that need Shift for them", () => {
  expect(interpret(press("é", { code: "Digit2" }))).toEqual({ kind: "digit", value: 2 });
  expect(interpret(press("2", { code: "Digit2", shiftKey: true }))).toEqual({ kind: "digit", value: 2 });
  expect(interpret(press("!", { code: "Digit1", shiftKey: true }))).toBeNull();
});

test("letters are found by place on boards without Latin letters", () => {
  expect(interpret(press("ь", { code: "KeyM" }))).toEqual({ kind: "mask" });
});

test("brackets typed with AltGr count, browser shortcuts do not", () => {
  expect(interpret(press("]", { ctrlKey: true, altKey: true }))).toEqual({ kind: "opacity", by: 0.1 });
  expect(interpret(press("r", { ctrlKey: true }))).toBeNull();
  expect(interpret(press("1", { metaKey: true }))).toBeNull();
});

test("Shift turns brightness keys into contrast keys", () => {
  expect(interpret(press("i"))).toEqual({ kind: "level", by: -1 });
  expect(interpret(press("I", { shiftKey: true }))).toEqual({ kind: "width", by: -1 });
});

test("a held digit or Enter acts once, a held arrow scrolls on", () => {
  expect(actsOnce({ kind: "confirm" })).toBe(true);
  expect(actsOnce({ kind: "digit", value: 3 })).toBe(true);
  expect(actsOnce({ kind: "scroll", by: 1 })).toBe(false);
});

test("every single key on the key card does something", () => {
  const keys = KEY_CARD.flatMap(([keys]) => keys.split(" ")).filter((key) => /^[A-Z?[\]]$/.test(key));
  expect(keys.length).toBeGreaterThan(12);
  for (const key of keys) expect(interpret(press(key)), key).not.toBeNull();
});

test("the key card names only keys that do something in the study", () => {
  const rare = ["W", "A B or ← →", "U"];
  const keysOf = (study: Parameters<typeof listKeys>[0]) => listKeys(study).map(([keys]) => keys);
  const plain = keysOf({ marks: [], mode: "single", revisable: false });
  expect(plain).toContain("Enter");
  expect(plain.filter((keys) => rare.includes(keys))).toEqual([]);
  const marks = [{ key: "missed", text: "Missed lesion" }];
  const full = keysOf({ marks, mode: "side_by_side", revisable: true });
  expect(full.filter((keys) => rare.includes(keys))).toEqual(rare);
});

test("where nothing is scored only the keys of the image are listed", () => {
  const keys = listImageKeys().map(([key]) => key);
  for (const key of ["Enter", "G, Shift + G", "Space (hold)", "P", "?"]) expect(keys).toContain(key);
  for (const key of ["Backspace", "N", "C", "W", "U", "F", "E"]) expect(keys).not.toContain(key);
});
