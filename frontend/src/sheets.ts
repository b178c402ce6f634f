// Dialogs of the rating room: the key sheet and the frame of all others, laid over the rail.
import type { StudyInfo } from "./api";
import { make } from "./dom";
import { listKeys } from "./keys";
import { scaleRange } from "./rating";
import { areSingleKeysOn, switchSingleKeys } from "./shortcuts";

export function makeKeyCard(study: StudyInfo): HTMLElement {
  return makeCard([[scaleRange(study.scale), "choose a score"], ...listKeys(study)]);
}

export function makeCard(keys: readonly (readonly [keys: string, does: string])[]): HTMLElement {
  const rows = keys.map(([key, does]) => make("div", {}, make("dt", {}, key), make("dd", {}, does)));
  return make("dl", { class: "keys" }, ...rows);
}

export function openKeySheet(card: HTMLElement): void {
  const on = make("input", { type: "checkbox", checked: areSingleKeysOn() });
  on.addEventListener("change", () => switchSingleKeys(on.checked));
  openSheet("Keys",
    make("label", { class: "reason" }, on, "Letters and digits act as keys"), card);
}

export function isSheetOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

export function openSheet(title: string, ...content: HTMLElement[]): HTMLDialogElement {
  const close = make("button", { type: "button", class: "plain" }, "Close", make("kbd", {}, "Esc"));
  const heading = make("header", {}, make("h2", { id: "sheet-title" }, title), close);
  const sheet = make("dialog", { class: "sheet", "aria-labelledby": "sheet-title" }, heading, ...content);
  close.addEventListener("click", () => sheet.close());
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
  return sheet;
}
