// Says that what asks for news every few seconds gets none, and since when.
import { make } from "../dom";

/** Elements that htmx asks for anew are replaced, and the word with them, by an answer. */
export function watchSilence(page: HTMLElement): void {
  let heard = new Date();
  page.addEventListener("htmx:afterSwap", () => (heard = new Date()));
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    page.addEventListener(name, (event) => tell(event as CustomEvent, heard));
  }
}

function tell(event: CustomEvent, heard: Date): void {
  const element = (event.detail as { elt?: unknown }).elt;
  if (!(element instanceof HTMLElement) || !element.hasAttribute("hx-trigger")) return;
  if (element.querySelector("[data-silent]")) return;
  element.prepend(make("p", { class: "notice", role: "status", "data-silent": true }, sayWhen(heard)));
}

export function sayWhen(heard: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  const time = `${two(heard.getUTCHours())}:${two(heard.getUTCMinutes())}`;
  return `The site does not answer: what you see is of ${time} UTC. It is asked again every few seconds.`;
}
