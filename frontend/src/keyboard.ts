// Listens to the keyboard for the whole page and leaves typing and controls alone.
import { actsOnce, interpret, type Command } from "./keys";
import { isSheetOpen } from "./sheets";
import { areSingleKeysOn } from "./shortcuts";

export interface KeyActions {
  obey(command: Command): void;
  /** The key that hides the mask was let go. */
  release(): void;
  /** The keys are the image's again. */
  toImage(): void;
  /** Esc: what was opened and left empty closes. */
  escape(): void;
}

const MOVES = /^(Arrow|Page|Home|End)/;

export function listenToKeys(actions: KeyActions): void {
  addEventListener("keydown", (event) => {
    if (isSheetOpen() || event.isComposing) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.key === "Escape") return actions.escape();
    if (belongsTo(target, event)) return;
    const command = interpret(event);
    if (!command || isSwitchedOff(target, event)) return;
    event.preventDefault();
    if (!(event.repeat && actsOnce(command))) actions.obey(command);
  });
  addEventListener("keyup", (event) => event.key === " " && actions.release());
  addEventListener("blur", actions.release);
  giveFocusBack(actions);
}

/** Digits still count while a score has the focus: there they are the control's own. */
function isSwitchedOff(target: HTMLElement, { key }: KeyboardEvent): boolean {
  if (areSingleKeysOn() || key.length > 1) return false;
  return !(target.matches(".score input") && /[0-9]/.test(key));
}

/** Keys a focused control needs for itself. */
function belongsTo(target: HTMLElement, { key }: KeyboardEvent): boolean {
  if (target.matches("textarea, input[type=text]")) return true;
  if (target.matches("button, summary, a[href]")) return key === "Enter" || key === " ";
  if (target.matches("input[type=range]")) return MOVES.test(key);
  if (target.matches("input[type=radio]")) {
    return key.startsWith("Arrow") || (key === " " && !(target as HTMLInputElement).checked);
  }
  return false;
}

/** After a click the keys are the image's again; keyboard users keep their place. */
function giveFocusBack(actions: KeyActions): void {
  addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const byPointer = event.detail > 0 || (event as PointerEvent).pointerType === "mouse";
    if (!byPointer || isSheetOpen() || !target?.closest(".rail, .stage")) return;
    if (!target.closest("textarea, summary")) actions.toImage();
  });
  addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "range") {
      if (!event.target.matches(":focus-visible")) actions.toImage();
    }
  });
}
