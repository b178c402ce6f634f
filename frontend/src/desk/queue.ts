// Sends files two at a time, shows how far each is and what the server says of it.
import { readCsrf } from "../api";
import { make, setText } from "../dom";
import type { Chosen } from "./gathering";
import { findEmpty, isArchive, isOther, isText } from "./kinds";
import { measurePace, sayLeft } from "./pace";
import { conclude, judge, makeSending, nameAll, sumUp, type Sending } from "./sending";
import {
  forget, post, postForm, remove, transfer, type Answer, type Parcel, type Planned,
} from "./transfer";

const AT_ONCE = 2;
const CUT_OFF = "The server can’t be reached. Check the connection, then choose the files again.";
const NO_VOLUME = "No NIfTI file (.nii or .nii.gz) was found here. Scans in DICOM must be converted first, e.g. with dcm2niix.";
const NOT_TAKEN_BACK = "It was stopped; what had arrived of it already stands in the list below: remove it there.";

interface Plan {
  readonly files: readonly Planned[];
  readonly passed_over: readonly { readonly path: string; readonly reason: string }[];
  readonly faults: readonly string[];
}

export class Queue {
  private readonly all: Sending[] = [];
  private readonly panel = document.getElementById("sending")!;
  private readonly summary = this.panel.querySelector<HTMLElement>("[data-summary]")!;
  private readonly overall =
    this.panel.querySelector<HTMLProgressElement>("[data-overall]")!;
  private readonly left = this.panel.querySelector<HTMLElement>("[data-left]")!;
  private readonly stop =
    this.panel.querySelector<HTMLButtonElement>("[data-cancel-all]")!;
  private readonly rows = this.panel.querySelector<HTMLElement>("[data-rows]")!;
  private readonly frame = this.rows.closest<HTMLElement>(".table-frame")!;
  private readonly notes: HTMLTableRowElement[] = [];
  private pace = measurePace();
  private faults = 0;
  private running = 0;
  private waiting: Sending[] = [];

  constructor(
    private readonly form: HTMLFormElement,
    private readonly refresh: () => Promise<void>,
  ) {
    this.stop.addEventListener("click", () => {
      for (const { stop } of this.all) stop.click();
    });
  }

  async add(chosen: Chosen[]): Promise<void> {
    if (!this.running) this.clear();
    this.panel.hidden = this.overall.hidden = this.frame.hidden = false;
    this.stop.hidden = true;
    setText(this.summary, "Looking through the files…");
    const fresh = await this.plan(chosen);
    this.all.push(...fresh);
    this.waiting.push(...fresh);
    this.rows.append(...fresh.map((sending) => sending.row));
    this.advance();
  }

  /** The server says what each file of a set is; zips are opened there. */
  private async plan(chosen: Chosen[]): Promise<Sending[]> {
    const told: Answer & Partial<Plan> =
      await postForm(this.form.dataset["plan"]!, writePlan(this.form, chosen), this.token)
        .catch(() => ({ detail: CUT_OFF }));
    if (!told.files) return this.refuse(chosen, told.detail ?? "");
    this.tellPlan(told);
    const { files, passed_over = [], faults = [] } = told;
    const said = new Set([...files, ...passed_over].map(({ path }) => path));
    if (!faults.length) for (const name of findEmpty(chosen, said)) this.note(name, NO_VOLUME);
    const found = new Map(chosen.map(({ file, path }) => [path, file]));
    return [
      ...files.map(({ path, origin }) => this.make({ file: found.get(path)!, path }, origin)),
      // zips and other files answer each for itself
      ...chosen.filter(isArchive).map((one) => this.make(one, this.named())),
      ...chosen.filter(isOther).map((one) => this.make(one, {})),
    ];
  }

  private make({ file, path }: Chosen, origin: Record<string, unknown>): Sending {
    const { transfers: url, uploads } = this.form.dataset as Record<string, string>;
    const stopper = new AbortController();
    const parcel: Parcel =
      { url: url!, uploads: uploads!, file, path, origin, token: this.token, signal: stopper.signal };
    return makeSending(parcel, (sending) => this.cancel(sending, stopper));
  }

  /** What the plan leaves out and why; nothing is left out without a word. */
  private tellPlan({ passed_over = [], faults = [] }: Partial<Plan>): void {
    for (const { path, reason } of passed_over) this.note(path, reason);
    // the server keeps them in the list that waits for import
    this.faults += faults.length;
  }

  /** What waits is let go of at once; what is on its way is called back. */
  private cancel(sending: Sending, stopper: AbortController): void {
    if (stopper.signal.aborted || sending.outcome !== "waiting") return;
    stopper.abort();
    sending.stop.disabled = true;
    setText(sending.note, "Cancelling…");
    if (!this.waiting.includes(sending)) return;
    this.waiting = this.waiting.filter((one) => one !== sending);
    this.track(forget(sending.parcel).then((answer) => conclude(sending, answer)));
  }

  // the form's field is as old as the page, the cookie is of the last signing in
  private readonly token = (): string =>
    readCsrf() || (this.form.elements.namedItem("csrfmiddlewaretoken") as HTMLInputElement).value;

  /** What the form says of the masks in a zip, which the server opens. */
  private named(): Record<string, unknown> {
    return readRole(this.form) === "upload" ? { arm_label: readArm(this.form) } : {};
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
    this.all.length = this.notes.length = this.faults = 0;
    this.pace = measurePace();
    this.rows.replaceChildren();
  }

  private advance(): void {
    while (this.running < AT_ONCE && this.waiting.length) {
      this.track(this.send(this.waiting.shift()!));
    }
    this.tell();
    if (!this.running && !this.waiting.length) void this.finish();
    else addEventListener("beforeunload", warn);
  }

  private track(work: Promise<void>): void {
    this.running += 1;
    void work.then(() => {
      this.running -= 1;
      this.advance();
    });
  }

  private async send(sending: Sending): Promise<void> {
    const answer = await transfer(sending.parcel, (share, moved) => {
      sending.sent = share;
      sending.bar.value = share;
      this.pace.add(moved);
      if (!sending.parcel.signal.aborted) setText(sending.note, share < 1 ? "" : "Checking…");
      this.tell();
    });
    if (answer.files && answer.place) await this.unpack(sending, answer);
    else conclude(sending, answer);
    this.tell();
  }

  /** A zip's files are judged one by one; a bad one stops no other. */
  private async unpack(sending: Sending, archive: Answer & Partial<Plan>): Promise<void> {
    const { files = [], place } = archive;
    const { token, signal, uploads, path: name } = sending.parcel;
    this.tellPlan(archive);
    if (!files.length && !archive.passed_over?.length && !archive.faults?.length) {
      this.note(name, NO_VOLUME);
    }
    const taken: string[] = [];
    for (const [number, { path }] of files.entries()) {
      if (signal.aborted) break;
      setText(sending.note, `Checking ${number + 1} of ${files.length}: ${path}`);
      const answer = await post(`${place}/take`, { number: String(number) }, token)
        .catch(() => ({ detail: "The connection broke." }) as Answer);
      if (answer.id) taken.push(answer.id);
      if (answer.row === undefined) this.note(path, answer.detail ?? "");
      sending.inside.push(judge(answer));
    }
    const back = signal.aborted ? taken : [];
    const gone = await Promise.all(back.map((id) => remove(`${uploads}/${id}`, token)));
    if (gone.includes(false)) this.note(name, NOT_TAKEN_BACK);
    sending.outcome = signal.aborted ? "cancelled" : "opened";
    sending.row.remove();
    await remove(place!, token);
  }

  private tell(): void {
    const going = this.all.filter(({ outcome }) => outcome !== "cancelled");
    const bytes = going.reduce((sum, { parcel }) => sum + parcel.file.size, 0);
    const sent = going.reduce((sum, { sent, parcel }) => sum + sent * parcel.file.size, 0);
    this.overall.value = bytes ? sent / bytes : 0;
    const seconds = sent < bytes ? this.pace.secondsFor(bytes - sent) : null;
    setText(this.left, seconds === null ? "" : sayLeft(seconds));
    const done = this.all.filter((sending) => sending.outcome !== "waiting").length;
    this.stop.hidden = this.all.length - done < 2;
    setText(this.summary, done < this.all.length
      ? `Sending and checking: ${done} of ${this.all.length} files done`
      : sumUp(this.all, this.faults));
  }

  /** Shows the list that waits for import; only what was not taken in stays here. */
  private async finish(): Promise<void> {
    removeEventListener("beforeunload", warn);
    setText(this.left, "");
    // what was not taken in is told all the same where the line is broken
    await this.refresh().catch(() => undefined);
    const failed = this.all.filter((sending) => sending.outcome === "failed");
    const left = [...failed.map((sending) => sending.row), ...this.notes];
    this.rows.replaceChildren(...left);
    this.overall.hidden = this.stop.hidden = true;
    this.frame.hidden = left.length === 0;
  }
}

function writePlan(form: HTMLFormElement, chosen: readonly Chosen[]): FormData {
  const body = new FormData();
  body.set("role", readRole(form));
  body.set("arm", readArm(form));
  body.set("paths", JSON.stringify(chosen.map(({ path }) => path)));
  for (const { file, path } of chosen.filter(isText)) {
    body.append("text", file);
    body.append("text-path", path);
  }
  return body;
}

/** The browser asks before it leaves a page on which files are on their way. */
function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function readRole(form: HTMLFormElement): string {
  return (form.elements.namedItem("role") as RadioNodeList).value;
}

function readArm(form: HTMLFormElement): string {
  return (form.elements.namedItem("arm") as HTMLInputElement).value;
}
