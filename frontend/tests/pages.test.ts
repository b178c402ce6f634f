import { expect, test } from "vitest";
import type { StudyInfo } from "../src/api";
import { sayLeft } from "../src/pages";

const session = { number: 1, of: 1, next: "", before: "", unsigned: null };
const study = (change: Partial<StudyInfo> = {}) =>
  ({ signed: true, guess: "off", guess_left: 0, session, ...change }) as StudyInfo;

test("thanks are given once nothing is left", () => {
  expect(sayLeft(study())).toBe("Thank you");
});

test.each([
  [{ signed: false }, "One thing is left: your sign-off"],
  [{ guess: "open", guess_left: 1 }, "One thing is left: 1 short question"],
  [{ guess: "open", guess_left: 3 }, "One thing is left: 3 short questions"],
  [{ signed: false, guess: "early", guess_left: 3 }, "Two things are left: your sign-off and 3 short questions"],
])("what is left stands first: %j", (change, words) => {
  expect(sayLeft(study(change))).toBe(words);
});

test("between sessions only the sign-off of this one is asked for", () => {
  const more = { ...session, of: 2, next: "key" };
  expect(sayLeft(study({ signed: false, guess: "early", guess_left: 3, session: more })))
    .toBe("One thing is left in this session: your sign-off");
  expect(sayLeft(study({ guess: "early", guess_left: 3, session: more }))).toBe("Thank you");
});

test("an earlier session that waits for its sign-off is named", () => {
  const last = { ...session, number: 2, of: 2, unsigned: { number: 1, key: "one" } };
  expect(sayLeft(study({ session: last }))).toBe("One thing is left: the sign-off of session 1");
  expect(sayLeft(study({ signed: false, guess: "early", guess_left: 2, session: last })))
    .toBe("Three things are left: your sign-off, the sign-off of session 1 and 2 short questions");
});
