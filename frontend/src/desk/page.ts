// Finds what a page, or a part of it that was just exchanged, has to be woken.
import { wakeAnchors } from "./anchors";
import { askFirst } from "./asking";
import { wakeCopying } from "./copying";
import { wakeFilters } from "./filtering";
import { wakeKeeping } from "./keeping";
import { wakeLocking } from "./locking";
import { wakePairing } from "./pairing";
import { wakeQuiet } from "./quiet";
import { remember, restore } from "./recall";
import { wakeMarks, wakeSorting } from "./tables";
import { wakeUpload } from "./upload";

/** The parts of the page that change while files come and go. */
const PARTS = ["#action", "#messages", "#received", "#unfinished", ".side"];
/** Those of them that hold something to be woken. */
const WOKEN = ["#received", "#unfinished"];

export function wakePage(root: ParentNode): void {
  for (const form of all<HTMLFormElement>(root, "form[data-ask], form:has(button[data-ask])")) askFirst(form);
  for (const form of all<HTMLFormElement>(root, "form[data-quiet]")) {
    wakeQuiet(form, exchange);
  }
  for (const table of all<HTMLTableElement>(root, "table[data-sortable]")) {
    wakeSorting(table);
  }
  for (const input of all<HTMLInputElement>(root, "input[data-filter]")) {
    wakeFilters(input);
  }
  for (const box of all<HTMLInputElement>(root, "input[data-mark-all]")) wakeMarks(box);
  for (const button of all<HTMLButtonElement>(root, "button[data-copy]")) {
    wakeCopying(button);
  }
  for (const list of all<HTMLElement>(root, "[data-anchors]")) wakeAnchors(list);
  for (const form of all<HTMLFormElement>(root, "form[data-keep]")) wakeKeeping(form);
  for (const form of all<HTMLFormElement>(root, "form#lock")) wakeLocking(form);
  for (const form of all<HTMLFormElement>(root, "form#upload")) {
    wakeUpload(form, refreshList);
  }
  for (const form of all<HTMLFormElement>(root, "form#pairing")) {
    wakePairing(form, exchange);
  }
}

function all<E extends Element>(root: ParentNode, selector: string): E[] {
  return [...root.querySelectorAll<E>(selector)];
}

async function refreshList(): Promise<void> {
  const answer = await fetch(location.pathname, { credentials: "same-origin" });
  // whoever is signed out is led to another page, which has no list
  if (answer.ok && !answer.redirected) exchange(await answer.text());
}

/** Takes the parts from a new copy of the page; what was chosen stays chosen. */
export function exchange(html: string): void {
  const chosen = remember();
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const selector of PARTS) {
    const [old, now] = [document.querySelector(selector), fresh.querySelector(selector)];
    if (old && now) old.replaceWith(document.adoptNode(now));
  }
  restore(chosen);
  for (const part of all(document, WOKEN.join())) wakePage(part);
}
