// The foot of the column beside an image: buttons that name their keys.
import { make } from "./dom";

type Button = readonly [label: string, key: string, act: () => void];

export function makeFoot(...buttons: readonly Button[]): HTMLElement {
  return make("div", { class: "footer" }, ...buttons.map(([label, key, act]) =>
    make("button", { type: "button", class: "quiet", onclick: act }, label, make("kbd", {}, key))));
}
