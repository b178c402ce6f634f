// As much of a page as the desk's uploading touches; vitest runs without a browser.

export class Piece {
  hidden = false;
  value: string | number = "";
  innerHTML = "";
  content = "";
  files: File[] = [];
  dataset: Record<string, string> = {};
  parts: (Piece | string)[] = [];
  private readonly heard = new Map<string, (event: object) => void>();

  constructor(private readonly found: Record<string, unknown> = {}) {}

  elements = { namedItem: (name: string) => this.found[name] };
  classList = { toggle: () => undefined };

  querySelector(selector: string): unknown { return this.found[selector] ?? null; }
  closest(selector: string): unknown { return this.found[selector] ?? null; }
  addEventListener(kind: string, act: (event: object) => void): void { this.heard.set(kind, act); }
  setAttribute(): void { /* nothing here is drawn */ }
  tell(kind: string): void { this.heard.get(kind)!({ target: this }); }
  click(): void { this.tell("click"); }
  append(...parts: (Piece | string)[]): void { this.parts.push(...parts); }
  replaceChildren(...parts: (Piece | string)[]): void { this.parts = parts; }
  remove(): void { this.hidden = true; }
  replaceWith(): void { this.hidden = true; }
  get lastElementChild(): unknown { return this.parts.at(-1); }
  get textContent(): string {
    return this.parts.map((part) => typeof part === "string" ? part : part.textContent).join("");
  }
  set textContent(text: string) { this.parts = [text]; }
}

/** The form of uploading, and the panel that says what becomes of the files. */
export function makeForm() {
  const frame = new Piece();
  const rows = new Piece({ ".table-frame": frame });
  const summary = new Piece();
  const [bar, left, stop] = [new Piece(), new Piece(), new Piece()];
  const panel = new Piece({ "[data-summary]": summary, "[data-overall]": bar, "[data-rows]": rows, "[data-left]": left, "[data-cancel-all]": stop });
  const [input, role, arm] = [new Piece(), new Piece(), new Piece()];
  role.value = "manual";
  const field = new Piece();
  field.value = "old";
  const form = new Piece({
    "input#files": input, "input#folder": new Piece(), "[data-drop]": new Piece(),
    "#arm-error": new Piece(), role, arm, csrfmiddlewaretoken: field,
  });
  form.dataset = { plan: "/plan", transfers: "/transfers", uploads: "/uploads" };
  const document = {
    cookie: "",
    getElementById: () => panel,
    createElement: () => new Piece(),
    addEventListener: () => undefined,
    querySelector: () => null,
  };
  const choose = (...files: File[]): void => {
    input.files = files;
    input.tell("change");
  };
  return { form, document, choose, role, arm, summary, bar, rows, frame, left, stop };
}

/** A file at a place in a folder that was chosen; empty, so that no piece is sent. */
export function makeFile(path: string): File {
  const file = new File([], path.split("/").at(-1)!, { lastModified: 1 });
  return Object.assign(file, { webkitRelativePath: path.includes("/") ? path : "" });
}
