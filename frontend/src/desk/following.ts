// Keeps the keyboard's place in a list from which a row was just removed.

const ROWS = ":is(li, tr) :is(button[data-quiet], form[data-quiet] button)";

/** In which list a button stands, and at which place. */
export interface Place {
  readonly list: string;
  readonly at: number;
}

export function findPlace(button: Element): Place {
  const section = button.closest("section");
  const at = section ? list(section).indexOf(button) : 0;
  return { list: section?.getAttribute("aria-labelledby") ?? "", at: Math.max(at, 0) };
}

/** To the row that moved up, else the last one, else what the list or the page is called. */
export function takeUp({ list: name, at }: Place): void {
  // whoever went on meanwhile stays there
  if (document.activeElement && document.activeElement !== document.body) return;
  const section = document.querySelector(`section[aria-labelledby="${name}"]`);
  const left = section ? list(section) : [];
  const next = left[Math.min(at, left.length - 1)] ?? findHeading(section);
  (next as HTMLElement | null)?.focus();
}

function list(section: Element): Element[] {
  return [...section.querySelectorAll(ROWS)];
}

function findHeading(section: Element | null): Element | null {
  const heading = section?.querySelector("h2, h3")
    ?? document.querySelector("#received :is(h2, h3)") ?? document.querySelector("main h1");
  heading?.setAttribute("tabindex", "-1");
  return heading;
}
