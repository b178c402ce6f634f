// Sends files two at a time, shows how far each is and what the server says of it.
import { readCsrf } from "../api";
import { make, setText } from "../dom";
import { fromDrop, fromInput, type Chosen } from "./gathering";
import { post, postForm, transfer, type Answer, type Planned } from "./transfer";

const AT_ONCE = 2;

interface Sending {
  readonly file: File;
  readonly path: string;
  readonly origin: Record<string, unknown>;
  readonly row: HTMLTableRowElement;
  readonly bar: HTMLProgressElement;
  readonly note: HTMLElement;
  sent: number;
  outcome: Outcome | "waiting" | "opened";
  /** What became of each file of a zip that was opened. */
  readonly inside: Outcome[];
}

type Outcome = "taken" | "refused" | "failed";

interface Plan {
  readonly files: readonly Planned[];
  readonly passed_over: readonly { readonly path: string; readonly reason: string }[];
  readonly faults: readonly string[];
}

const SMALL = 5 * 2 ** 20;
const CUT_OFF = "The server can’t be reached. Check the connection, then choose the files again.";
const NO_VOLUME = "No NIfTI file (.nii or .nii.gz) was found here. Scans in DICOM must be converted first, e.g. with dcm2niix.";
const VOLUME = /\.nii(\.gz)?$/i;
const ARCHIVE = /\.zip$/i;
const TEXT = /\.(json|csv|tsv|xlsx)$/i;

export function wakeUpload(form: HTMLFormElement, refresh: () => Promise<void>): void {
  const input = form.querySelector<HTMLInputElement>("input#files")!;
  const folder = form.querySelector<HTMLInputElement>("input#folder")!;
  const zone = form.querySelector<HTMLElement>("[data-drop]")!;
  const queue = new Queue(form, refresh);
  const take = (chosen: Chosen[]): void => {
    if (chosen.length && roleIsComplete(form)) void queue.add(chosen);
  };
  for (const one of [input, folder]) {
    one.addEventListener("change", () => {
      take(fromInput(one.files!));
      one.value = "";
    });
  }
  // the button at the top of the page comes and goes with the state of the list
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-choose]")) input.click();
    if ((event.target as Element).closest("[data-choose-folder]")) folder.click();
  });
  wakeDropping(zone, take);
  wakeRole(form);
}

function wakeDropping(zone: HTMLElement, take: (chosen: Chosen[]) => void): void {
  const show = (over: boolean) => (event: DragEvent): void => {
    event.preventDefault();
    zone.classList.toggle("drop-over", over);
  };
  zone.addEventListener("dragover", show(true));
  zone.addEventListener("dragleave", show(false));
  zone.addEventListener("drop", (event) => {
    show(false)(event);
    if (event.dataTransfer) void fromDrop(event.dataTransfer).then(take);
  });
}

/** Typing a name says that the masks are predictions; both must be there. */
function wakeRole(form: HTMLFormElement): void {
  const name = form.elements.namedItem("arm") as HTMLInputElement;
  name.addEventListener("input", () => {
    if (name.value) role(form).value = "upload";
    roleIsComplete(form, true);
  });
  form.addEventListener("change", () => roleIsComplete(form, true));
}

function role(form: HTMLFormElement): RadioNodeList {
  return form.elements.namedItem("role") as RadioNodeList;
}

function roleIsComplete(form: HTMLFormElement, quietly = false): boolean {
  const name = form.elements.namedItem("arm") as HTMLInputElement;
  const error = form.querySelector<HTMLElement>("#arm-error")!;
  const complete = role(form).value !== "upload" || name.value.trim() !== "";
  if (complete) error.hidden = true;
  else if (!quietly) {
    error.hidden = false;
    name.focus();
  }
  return complete;
}

class Queue {
  private readonly all: Sending[] = [];
  private readonly panel = document.getElementById("sending")!;
  private readonly summary = this.panel.querySelector<HTMLElement>("[data-summary]")!;
  private readonly overall =
    this.panel.querySelector<HTMLProgressElement>("[data-overall]")!;
  private readonly rows = this.panel.querySelector<HTMLElement>("[data-rows]")!;
  private readonly frame = this.rows.closest<HTMLElement>(".table-frame")!;
  private readonly notes: HTMLTableRowElement[] = [];
  private running = 0;
  private waiting: Sending[] = [];

  constructor(
    private readonly form: HTMLFormElement,
    private readonly refresh: () => Promise<void>,
  ) {}

  async add(chosen: Chosen[]): Promise<void> {
    if (!this.running) this.clear();
    this.panel.hidden = this.overall.hidden = this.frame.hidden = false;
    setText(this.summary, "Looking through the files…");
    const fresh = await this.plan(chosen);
    this.all.push(...fresh);
    this.waiting.push(...fresh);
    this.rows.append(...fresh.map((sending) => sending.row));
    this.advance();
  }

  /** The server says what each file of a set is; zips are opened there. */
  private async plan(chosen: Chosen[]): Promise<Sending[]> {
    const archives = chosen.filter(({ path }) => ARCHIVE.test(path));
    const body = new FormData();
    body.set("paths", JSON.stringify(chosen.map(({ path }) => path)));
    for (const { file, path } of chosen) {
      if (!TEXT.test(path) || file.size > SMALL) continue;
      body.append("text", file);
      body.append("text-path", path);
    }
    const told: Answer & Partial<Plan> = await postForm(this.form.dataset["plan"]!, body, this.token)
      .catch(() => ({ detail: CUT_OFF }));
    if (!told.files) return this.refuse(chosen, told.detail ?? "");
    const files = new Map(chosen.map(({ file, path }) => [path, file]));
    const others = chosen.filter(({ path }) => !VOLUME.test(path) && !ARCHIVE.test(path) && !TEXT.test(path) && !path.includes("/"));
    // zips and other files are sent too, and each answers for itself
    this.tellPlan(told, archives.length || others.length ? "" : nameAll(chosen));
    return [
      ...told.files.map(({ path, origin }) =>
        makeSending(files.get(path)!, path, this.named(origin))),
      ...archives.map(({ file, path }) => makeSending(file, path, this.named({}))),
      // a single file that is no image is sent all the same, to be told why not
      ...others.map(({ file, path }) => makeSending(file, path, {})),
    ];
  }

  /** What the plan leaves out and why; nothing is left out without a word. */
  private tellPlan({ files = [], passed_over = [], faults = [] }: Partial<Plan>, name: string): void {
    for (const { path, reason } of passed_over) this.note(path, reason);
    for (const fault of faults) this.note("", fault);
    const told = files.length || passed_over.length || faults.length;
    if (name && !told) this.note(name, NO_VOLUME);
  }

  // the form's field is as old as the page, the cookie is of the last signing in
  private readonly token = (): string =>
    readCsrf() || (this.form.elements.namedItem("csrfmiddlewaretoken") as HTMLInputElement).value;

  /** Masks of which the set does not say what made them are as the form says. */
  private named(origin: Record<string, unknown>): Record<string, unknown> {
    if (origin["arm_label"] || role(this.form).value !== "upload") return origin;
    const name = this.form.elements.namedItem("arm") as HTMLInputElement;
    return { ...origin, arm_label: name.value };
  }

  private refuse(chosen: Chosen[], detail: string): Sending[] {
    this.note(nameAll(chosen), detail);
    return [];
  }

  private note(path: string, reason: string): void {
    this.notes.push(make("tr", {},
      make("td", { class: "picture" }),
      make("th", { scope: "row", class: "name" }, path),
      make("td", { colspan: 5 },
        make("span", { class: "chip", "data-state": "warn" }, "Not taken"), ` ${reason}`),
    ));
  }

  private clear(): void {
    this.all.length = this.notes.length = 0;
    this.rows.replaceChildren();
  }

  private advance(): void {
    while (this.running < AT_ONCE && this.waiting.length) {
      const sending = this.waiting.shift()!;
      this.running += 1;
      void this.send(sending).then(() => {
        this.running -= 1;
        this.advance();
      });
    }
    this.tell();
    if (!this.running && !this.waiting.length) void this.finish();
  }

  private async send(sending: Sending): Promise<void> {
    const { file, path, origin } = sending;
    const url = this.form.dataset["transfers"]!;
    const answer = await transfer(url, file, path, origin, this.token, (sent) => {
      sending.sent = sent;
      sending.bar.value = sent;
      setText(sending.note, sent < 1 ? "" : "Checking…");
      this.tell();
    });
    if (answer.files && answer.place) await this.unpack(sending, answer);
    else conclude(sending, answer);
    this.tell();
  }

  /** A zip's files are judged one by one; a bad one stops no other. */
  private async unpack(sending: Sending, archive: Answer & Partial<Plan>): Promise<void> {
    const files = archive.files!;
    this.tellPlan(archive, sending.path);
    for (const [number, { path }] of files.entries()) {
      setText(sending.note, `Checking ${number + 1} of ${files.length}: ${path}`);
      const answer = await post(
        `${archive.place}/take`, { number: String(number) }, this.token,
      ).catch(() => ({ detail: "The connection broke." }) as Answer);
      if (answer.row === undefined) this.note(path, answer.detail ?? "");
      sending.inside.push(judge(answer));
    }
    sending.outcome = "opened";
    sending.row.remove();
    await fetch(archive.place!, {
      method: "DELETE", headers: { "X-CSRFToken": this.token() },
    }).catch(() => null);
  }

  private tell(): void {
    const bytes = this.all.reduce((sum, { file }) => sum + file.size, 0);
    const sent = this.all.reduce((sum, s) => sum + s.sent * s.file.size, 0);
    this.overall.value = bytes ? sent / bytes : 0;
    const done = this.all.filter((sending) => sending.outcome !== "waiting").length;
    setText(this.summary, done < this.all.length
      ? `Sending and checking: ${done} of ${this.all.length} files done`
      : sumUp(this.all));
  }

  /** Shows the list that waits for import; only what was not taken in stays here. */
  private async finish(): Promise<void> {
    // what was not taken in is told all the same where the line is broken
    await this.refresh().catch(() => undefined);
    const failed = this.all.filter((sending) => sending.outcome === "failed");
    const left = [...failed.map((sending) => sending.row), ...this.notes];
    this.rows.replaceChildren(...left);
    this.overall.hidden = true;
    this.frame.hidden = left.length === 0;
  }
}

function makeSending(
  file: File,
  path: string,
  origin: Record<string, unknown>,
): Sending {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Sent of ${file.name}` });
  const note = make("span", { class: "soft small" });
  const row = make("tr", {},
    make("td", { class: "picture" }),
    make("th", { scope: "row", class: "name" }, file.name),
    make("td", { colspan: 5 }, bar, " ", note),
  );
  return { file, path, origin, row, bar, note, sent: 0, outcome: "waiting", inside: [] };
}

function conclude(sending: Sending, answer: Answer): void {
  sending.sent = 1;
  sending.outcome = judge(answer);
  if (answer.row === undefined) {
    sending.row.lastElementChild!.replaceChildren(
      make("span", { class: "chip", "data-state": "bad" }, "Not sent"),
      ` ${answer.detail ?? ""}`,
    );
    return;
  }
  const holder = document.createElement("template");
  holder.innerHTML = answer.row.trim();
  sending.row.replaceWith(holder.content);
}

function judge({ row, verdict }: Answer): Outcome {
  if (row === undefined) return "failed";
  return verdict === "reject" ? "refused" : "taken";
}

/** A zip counts as the files in it. */
function sumUp(all: Sending[]): string {
  const outcomes = all.flatMap(({ outcome, inside }) => outcome === "opened" ? inside : [outcome]);
  if (!outcomes.length) return "Nothing was received (see below).";
  const count = (outcome: Outcome): number =>
    outcomes.filter((one) => one === outcome).length;
  const parts = [`${files(count("taken"))} received`];
  if (count("refused")) parts.push(`${files(count("refused"))} refused (see below)`);
  if (count("failed")) parts.push(`${files(count("failed"))} not taken in`);
  return `${parts.join(", ")}.`;
}

/** What was chosen in a word: the folder or the file, or how many. */
function nameAll(chosen: Chosen[]): string {
  const names = [...new Set(chosen.map(({ path }) => path.split("/")[0]))];
  return names.length === 1 ? names[0] : files(chosen.length);
}

function files(count: number): string {
  return `${count} file${count === 1 ? "" : "s"}`;
}
