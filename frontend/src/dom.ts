// Makes DOM elements in one call; text is always set as text, never as markup.

type Value = string | number | boolean | EventListener | ((event: never) => void);
type Child = Node | string | null | undefined | false;

/** Properties starting with "on" are listeners, all others attributes. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** Changes text only when it differs, so that screen readers are not told twice. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The one piece of markup: instructions that the server made from Markdown, tags escaped. */
export function written(html: string): HTMLElement {
  const element = make("div", { class: "written" });
  element.innerHTML = html;
  return element;
}
