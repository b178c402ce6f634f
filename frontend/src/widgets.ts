// The small controls that the rail's view part is made of.
import { make, setText } from "./dom";

export function makeButton(text: string, act: () => void, label?: string): HTMLButtonElement {
  const name = label ? { "aria-label": label } : {};
  return make("button", { type: "button", class: "control", onclick: act, ...name }, text);
}

/** A button that stays pressed; `show` says whether it is. */
export function makeToggle(text: string, set: (pressed: boolean) => void) {
  let now = false;
  const element = makeButton(text, () => set(!now));
  const show = (pressed: boolean) => {
    now = pressed;
    element.setAttribute("aria-pressed", String(pressed));
  };
  return { element, show };
}

export function makeChoice<T extends string>(
  label: string,
  names: Readonly<Record<T, string>>,
  choose: (value: T) => void,
  kind = "",
) {
  const values = Object.keys(names) as T[];
  const group = label.toLowerCase().replace(" ", "-");
  const inputs = values.map((value) =>
    make("input", { type: "radio", name: group, value, onchange: () => choose(value) }));
  const labels = values.map((value, i) =>
    make("label", { class: "choice", title: kind && names[value] },
      inputs[i], make("span", { class: kind && "hidden" }, names[value])));
  const element = make("div",
    { class: `choices ${kind}`, role: "radiogroup", "aria-label": label }, ...labels);
  const show = (chosen: T | null) =>
    inputs.forEach((input, i) => (input.checked = values[i] === chosen));
  return { element, show };
}

export function makeSlider(label: string, change: (value: number) => void) {
  const input = make("input", { type: "range", "aria-label": label });
  input.addEventListener("input", () => change(Number(input.value)));
  const reading = make("output", {});
  const element = make("div", { class: "slider" }, make("span", {}, label), input, reading);
  const show = (value: number, text: string) => {
    input.value = String(value);
    input.setAttribute("aria-valuetext", text);
    setText(reading, text);
  };
  return { element, input, show };
}

/** A value between less and more; the middle says what it is, or where one is. */
export function makeStepper(label: string, less: () => void, more: () => void, signs = ["−", "+"]) {
  const [fewer, further] = signs[0] === "−" ? ["Less", "More"] : ["Previous", "Next"];
  const text = make("span", {}, label);
  const element = make("div", { class: "step", role: "group", "aria-label": label },
    makeButton(signs[0], less, `${fewer} ${label.toLowerCase()}`),
    text,
    makeButton(signs[1], more, `${further} ${label.toLowerCase()}`));
  return { element, show: (words: string) => setText(text, words) };
}
