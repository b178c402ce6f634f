import { afterEach, expect, test, vi } from "vitest";
import { askFirst } from "../src/desk/asking";

interface Button { ask?: string; askEmpty?: string; formaction?: boolean }

/** Presses a button of a form that asks "Form?"; whether it was sent, and what was asked. */
function press(button: Button, answer: boolean, fields: Record<string, object> = {}) {
  const confirm = vi.fn(() => answer);
  vi.stubGlobal("confirm", confirm);
  let submit = (_: object): void => undefined;
  const form = {
    dataset: { ask: "Form?" },
    elements: { namedItem: (name: string) => fields[name] ?? null },
    querySelector: () => null,
    addEventListener: (_: string, act: typeof submit) => { submit = act; },
  };
  askFirst(form as unknown as HTMLFormElement);
  let sent = true;
  const submitter = { dataset: { ...button }, hasAttribute: () => button.formaction ?? false };
  submit({ submitter, preventDefault: () => { sent = false; } });
  return { sent, asked: confirm.mock.calls.flat() };
}

afterEach(() => vi.unstubAllGlobals());

test("a form asks before it is sent, and a no keeps it", () => {
  expect(press({}, true)).toEqual({ sent: true, asked: ["Form?"] });
  expect(press({}, false)).toEqual({ sent: false, asked: ["Form?"] });
});

test("a button with an address of its own asks its own question, or none", () => {
  expect(press({ formaction: true }, false)).toEqual({ sent: true, asked: [] });
  const all = { formaction: true, ask: "Remove all?" };
  expect(press(all, false)).toEqual({ sent: false, asked: ["Remove all?"] });
  expect(press(all, true)).toEqual({ sent: true, asked: ["Remove all?"] });
});

test("a field that would be emptied is asked about by its name, one that is filled is not", () => {
  const button = { formaction: true, ask: "Clear the {stratum} of {marked}?", askEmpty: "value" };
  const stratum = { value: "field_strength", selectedOptions: [{ text: "field strength" }] };
  const empty = press(button, false, { stratum, value: { value: " " } });
  expect(empty).toEqual({ sent: false, asked: ["Clear the field strength of {marked}?"] });
  const filled = press(button, false, { stratum, value: { value: "3 T" } });
  expect(filled).toEqual({ sent: true, asked: [] });
});
