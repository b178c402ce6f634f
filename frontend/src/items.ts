// Which of a presentation's items is being rated, and what the others have so far.
import { make, setText } from "./dom";

export interface ItemSwitch {
  readonly element: HTMLElement;
  show(names: readonly string[], said: readonly string[], now: number, choose: boolean): void;
}

export function makeItems(turnTo: (item: number) => void): ItemSwitch {
  const element = make("div", { class: "items", role: "group", "aria-label": "Image to rate" });
  let buttons: { button: HTMLButtonElement; word: HTMLElement; score: HTMLElement }[] = [];
  const build = (count: number) => {
    buttons = Array.from({ length: count }, (_, item) => {
      const word = make("span");
      const score = make("strong");
      const act = () => turnTo(item);
      const button = make("button", { type: "button", class: "item", onclick: act }, word, score);
      return { button, word, score };
    });
    element.replaceChildren(...buttons.map(({ button }) => button));
  };
  return {
    element,
    show(names, said, now, choose) {
      element.hidden = names.length === 0;
      if (names.length !== buttons.length) build(names.length);
      buttons.forEach(({ button, word, score }, i) => {
        setText(word, names[i]);
        setText(score, said[i] || "–");
        button.hidden = !choose && i !== now;
        button.disabled = !choose;
        button.setAttribute("aria-pressed", String(i === now));
      });
    },
  };
}
