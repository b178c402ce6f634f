import { beforeEach, expect, test } from "vitest";
import {
  forgetAll, isHeld, isSame, nameDraft, readDraft, sayWhen, tidy, writeDraft, type Draft, type Shelf,
} from "../src/desk/drafts";

function makeShelf(): Shelf {
  const held = new Map<string, string>();
  return {
    get length() { return held.size; },
    key: (place) => [...held.keys()][place] ?? null,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => { held.set(key, value); },
    removeItem: (key) => { held.delete(key); },
  };
}

const DESIGN = nameDraft("7", "/studies/1/design/");
const make = (more: Partial<Draft> = {}): Draft =>
  ({ at: 1000, sent: false, typed: { instructions: ["Look twice"] }, hidden: { revision: "3" }, ...more });
let shelf: Shelf;
let marks: Shelf;

beforeEach(() => {
  shelf = makeShelf();
  marks = makeShelf();
  shelf.setItem("other", "stays");
});

test("what was typed stays from page to page until it is known to be stored", () => {
  writeDraft(shelf, DESIGN, make());
  tidy(shelf, marks, "7", true);
  expect(readDraft(shelf, DESIGN)).toEqual(make());
  writeDraft(shelf, DESIGN, make({ sent: true }));
  tidy(shelf, marks, "7", true);
  expect(readDraft(shelf, DESIGN)).toBeNull();
});

test("what was sent and met the page for signing in is kept", () => {
  writeDraft(shelf, DESIGN, make({ sent: true }));
  tidy(shelf, marks, "7", false);
  expect(readDraft(shelf, DESIGN)).toEqual(make());
  // and another thing that is stored later says nothing of it
  tidy(shelf, marks, "7", true);
  expect(readDraft(shelf, DESIGN)).not.toBeNull();
});

test("another person finds nothing, not even one whose number begins alike", () => {
  writeDraft(shelf, DESIGN, make());
  tidy(shelf, marks, "71", false);
  expect(shelf.length).toBe(1);
  expect(shelf.getItem("other")).toBe("stays");
});

test("signing out lets go of it here, and of what other tabs hold from before", () => {
  const tab = makeShelf();
  writeDraft(shelf, DESIGN, make());
  writeDraft(tab, DESIGN, make());
  forgetAll(shelf, marks, 2000);
  expect(readDraft(shelf, DESIGN)).toBeNull();
  tidy(tab, marks, "7", false);
  expect(tab.length).toBe(0);
  writeDraft(tab, DESIGN, make({ at: 3000 }));
  tidy(tab, marks, "7", false);
  expect(tab.length).toBe(1);
});

test("what can't be read or written is as nothing", () => {
  shelf.setItem(DESIGN, "{");
  expect(readDraft(shelf, DESIGN)).toBeNull();
  tidy(shelf, marks, "7", false);
  expect(shelf.length).toBe(1);
  shelf.setItem = () => { throw new Error("full"); };
  writeDraft(shelf, DESIGN, make());
  expect(readDraft(shelf, DESIGN)).toBeNull();
});

test("the order of the fields makes no difference, their words do", () => {
  expect(isSame({ a: ["1"], b: [] }, { b: [], a: ["1"] })).toBe(true);
  expect(isSame({ a: ["1"] }, { a: ["1 "] })).toBe(false);
});

test("the time is that of a clock, with the day where it was another", () => {
  const noon = new Date(2026, 10, 26, 14, 3).getTime();
  expect(sayWhen(noon, noon + 3_600_000)).toBe("14:03");
  expect(sayWhen(noon, noon + 86_400_000)).toBe("26 Nov, 14:03");
});

test("a draft is held by a page that shows all of it, without the fields that are gone", () => {
  const typed = { "subject:1": ["P7"], "map:1": ["cord:4", "soft:5"] };
  expect(isHeld(typed, { ...typed, "subject:2": ["other"] })).toBe(true);
  expect(isHeld(typed, { "subject:1": ["P7"] })).toBe(true);
  expect(isHeld(typed, { ...typed, "subject:1": [""] })).toBe(false);
  expect(isHeld(typed, { ...typed, "map:1": ["cord:4"] })).toBe(false);
});
