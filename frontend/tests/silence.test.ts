import { expect, test } from "vitest";
import { sayWhen } from "../src/desk/silence";

test("the notice says of what time the numbers are", () => {
  expect(sayWhen(new Date(Date.UTC(2026, 10, 26, 9, 5)))).toContain("of 09:05 UTC.");
});
