import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { wakeUpload } from "../src/desk/upload";
import { makeFile, makeForm, type Piece } from "./page";

interface Asked { readonly url: string; readonly method: string; readonly headers: Headers; readonly redirect: string; readonly body: unknown }

const json = (body: object, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
/** What a browser makes of a redirect that it was told not to follow. */
const away = { type: "opaqueredirect", status: 0, headers: new Headers() } as Response;
const login = () => new Response("<h1>Sign in</h1>", { headers: { "Content-Type": "text/html" } });
const planned = (...paths: string[]) =>
  json({ files: paths.map((path) => ({ path, origin: {} })), passed_over: [], faults: [] });
const taken = () => json({ row: "<tr></tr>", verdict: "accept" }, 201);
const refused = () => json({ row: "<tr></tr>", verdict: "reject" }, 422);

let page: ReturnType<typeof makeForm>;
let asked: Asked[];
let answers: Record<string, (asked: Asked) => Response | Promise<Response>>;
let refresh: () => Promise<void>;
let warned = false;

beforeEach(() => {
  page = makeForm();
  asked = [];
  refresh = async () => undefined;
  let begun = 0;
  answers = {
    "POST /transfers": () => new Response(null, { status: 201, headers: { Location: `/transfers/${begun += 1}` } }),
    HEAD: () => new Response(null, { status: 200, headers: { "Upload-Offset": "0" } }),
    DELETE: () => new Response(null, { status: 204 }),
  };
  const kept = new Map<string, string>();
  vi.stubGlobal("document", page.document);
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal("addEventListener", () => { warned = true; });
  vi.stubGlobal("removeEventListener", () => { warned = false; });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const { method = "GET", redirect = "follow" } = init;
    const one = { url, method, redirect, headers: new Headers(init.headers), body: init.body };
    asked.push(one);
    return (answers[`${method} ${url}`] ?? answers[method])(one);
  });
  wake();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function wake(): void {
  wakeUpload(page.form as unknown as HTMLFormElement, () => refresh());
}

const ended = () => vi.waitFor(() => expect(page.bar.hidden).toBe(true));
const begins = () => asked.filter(({ url, method }) => url === "/transfers" && method === "POST");
const origin = ({ headers }: Asked): unknown =>
  JSON.parse(atob(/origin (\S+)/.exec(headers.get("Upload-Metadata")!)![1]));

test("a file that broke off goes on, but begins anew as masks of another source", async () => {
  // the server says of each mask what the form and the set say together
  answers["POST /plan"] = ({ body }) => {
    const told = body as FormData;
    const origin = told.get("role") === "upload" ? { arm_label: told.get("arm") } : {};
    return json({ files: [{ path: "mask.nii", origin }] });
  };
  // the page is left while this is on its way
  answers["POST /transfers/1/finish"] = () => new Promise(() => undefined);
  page.choose(makeFile("mask.nii"));
  await vi.waitFor(() => expect(asked.at(-1)!.url).toBe("/transfers/1/finish"));

  wake();
  page.choose(makeFile("mask.nii"));
  await vi.waitFor(() => expect(asked.filter(({ method }) => method === "HEAD")).toHaveLength(1));
  expect(begins()).toHaveLength(1);

  wake();
  Object.assign(page.role, { value: "upload" });
  Object.assign(page.arm, { value: "SCT 6.5" });
  answers["POST /transfers/2/finish"] = taken;
  page.choose(makeFile("mask.nii"));
  await ended();
  expect(begins().map(origin)).toEqual([{}, { arm_label: "SCT 6.5" }]);
});

test("faults in a table are counted, and told in the list that waits for import", async () => {
  answers["POST /plan"] = () =>
    json({ files: [{ path: "a.nii", origin: {} }], passed_over: [], faults: ["manifest.csv, row 4: no"] });
  answers["POST /transfers/1/finish"] = taken;
  let refreshed = 0;
  refresh = async () => void (refreshed += 1);
  page.choose(makeFile("a.nii"));
  await ended();
  expect(page.summary.textContent).toBe("1 file received, 1 fault in the set (see below).");
  expect(page.rows.textContent).toBe("");
  expect(refreshed).toBe(1);
});

test("after signing in elsewhere, choosing the file again sends it", async () => {
  const guarded = (answer: () => Response) => ({ headers }: Asked) =>
    headers.get("X-CSRFToken") === "fresh" ? answer() : new Response("", { status: 403 });
  const begin = answers["POST /transfers"] as () => Response;
  answers["POST /plan"] = guarded(() => planned("image.nii"));
  answers["POST /transfers"] = guarded(begin);
  answers["POST /transfers/1/finish"] = guarded(taken);
  page.choose(makeFile("image.nii"));
  await ended();
  expect(page.rows.textContent).toContain("You are signed out.");
  page.document.cookie = "csrftoken=fresh";
  page.choose(makeFile("image.nii"));
  await vi.waitFor(() => expect(page.summary.textContent).toBe("1 file received."));
});

test("where the cookie can't be read, the form's token is sent", async () => {
  answers["POST /plan"] = () => planned();
  page.choose(makeFile("notes.csv"));
  await ended();
  expect(asked[0].headers.get("X-CSRFToken")).toBe("old");
});

test("whoever is signed out is told so when the files are looked through", async () => {
  answers["POST /plan"] = ({ redirect }) => redirect === "manual" ? away : login();
  page.choose(makeFile("image.nii"));
  await ended();
  expect(page.rows.textContent).toContain("image.nii");
  expect(page.rows.textContent).toContain("You are signed out. Sign in again in another window");
});

test("without a connection the page says so and what to do", async () => {
  answers["POST /plan"] = () => Promise.reject(new TypeError("Failed to fetch"));
  refresh = () => Promise.reject(new TypeError("Failed to fetch"));
  page.choose(makeFile("a.nii"), makeFile("b.nii"));
  await ended();
  expect(page.summary.textContent).toBe("Nothing was received (see below).");
  expect(page.frame.hidden).toBe(false);
  expect(page.rows.textContent)
    .toBe("2 filesNot taken The server can’t be reached. Check the connection, then choose the files again.");
});

test("a folder without a NIfTI file says what is expected", async () => {
  answers["POST /plan"] = () => planned();
  page.choose(makeFile("scan/IM0001"), makeFile("scan/IM0002"));
  await ended();
  expect(page.summary.textContent).toBe("Nothing was received (see below).");
  expect(page.rows.textContent).toMatch(/^scanNot taken No NIfTI file .*dcm2niix\.$/);
  expect(begins()).toHaveLength(0);
});

test("a zip without a NIfTI file says what is expected", async () => {
  answers["POST /plan"] = () => planned();
  answers["POST /transfers/1/finish"] = () => planned();
  page.choose(makeFile("scan.zip"));
  await ended();
  expect(page.summary.textContent).toBe("Nothing was received (see below).");
  expect(page.rows.textContent).toMatch(/^scan\.zipNot taken No NIfTI file .*dcm2niix\.$/);
});

test("a zip counts as the files in it", async () => {
  answers["POST /plan"] = () => planned();
  answers["POST /transfers/1/finish"] = () => planned("a.nii", "b.nii", "c.nii", "d.nii");
  const verdicts = [refused, taken, refused, () => json({ detail: "The zip is damaged." }, 422)];
  answers["POST /transfers/1/take"] = () => verdicts.shift()!();
  page.choose(makeFile("set.zip"));
  await ended();
  expect(page.summary.textContent)
    .toBe("1 file received, 2 files refused (see below), 1 file not taken in.");
  expect(page.rows.textContent).toContain("The zip is damaged.");
});

test("a zip whose files were all refused brings nothing", async () => {
  answers["POST /plan"] = () => planned();
  answers["POST /transfers/1/finish"] = () => planned("a.nii");
  answers["POST /transfers/1/take"] = refused;
  page.choose(makeFile("set.zip"));
  await ended();
  expect(page.summary.textContent).toBe("0 files received, 1 file refused (see below).");
});

test("a folder without a NIfTI file is named beside a zip that holds some", async () => {
  answers["POST /plan"] = () => planned();
  answers["POST /transfers/1/finish"] = () => planned("a.nii");
  answers["POST /transfers/1/take"] = taken;
  page.choose(makeFile("scan/IM0001"), makeFile("scan/IM0002"), makeFile("set.zip"));
  await ended();
  expect(page.summary.textContent).toBe("1 file received.");
  expect(page.rows.textContent).toMatch(/^scanNot taken No NIfTI file .*dcm2niix\.$/);
});

test("a folder of sidecars beside one of images is no complaint", async () => {
  answers["POST /plan"] = () => planned("images/a.nii");
  answers["POST /transfers/1/finish"] = taken;
  page.choose(makeFile("images/a.nii"), makeFile("facts/a.json"), makeFile("old/IM0001"));
  await ended();
  expect(page.rows.textContent).toMatch(/^oldNot taken/);
  expect(page.rows.textContent).not.toContain("facts");
});

const removed = () => asked.filter(({ method }) => method === "DELETE").map(({ url }) => url);
const cancel = (row: number): void => {
  const cell = (page.rows.parts[row] as Piece).parts[2] as Piece;
  ((cell.parts[0] as Piece).parts[2] as Piece).click();
};
/** An answer that comes when the test says so. */
const held = (body: object, status: number) => {
  let come: () => void = () => undefined;
  const answer = new Promise<Response>((resolve) => { come = () => resolve(json(body, status)); });
  return { answer, come: () => come() };
};
const reach = (url: string) => vi.waitFor(() => expect(asked.map((one) => one.url)).toContain(url));

test("a file that is cancelled while it is judged is taken back", async () => {
  answers["POST /plan"] = () => planned("a.nii");
  const judged = held({ id: "u1", row: "<tr></tr>", verdict: "accept" }, 201);
  answers["POST /transfers/1/finish"] = () => judged.answer;
  page.choose(makeFile("a.nii"));
  await reach("/transfers/1/finish");
  expect(warned).toBe(true);
  cancel(0);
  judged.come();
  await ended();
  expect(removed()).toEqual(["/uploads/u1", "/transfers/1"]);
  expect(page.summary.textContent).toBe("0 files received, 1 file cancelled.");
  expect(warned).toBe(false);
});

test("all are cancelled at once, and those that wait are never begun", async () => {
  answers["POST /plan"] = () => planned("a.nii", "b.nii", "c.nii");
  const judged = held({ detail: "late" }, 422);
  for (const n of [1, 2]) answers[`POST /transfers/${n}/finish`] = () => judged.answer.then((one) => one.clone());
  page.choose(makeFile("a.nii"), makeFile("b.nii"), makeFile("c.nii"));
  await reach("/transfers/2/finish");
  page.stop.click();
  judged.come();
  await ended();
  expect(begins()).toHaveLength(2);
  expect(removed().sort()).toEqual(["/transfers/1", "/transfers/2"]);
  expect(page.summary.textContent).toBe("0 files received, 3 files cancelled.");
});

test("of a zip that is cancelled midway nothing stays", async () => {
  answers["POST /plan"] = () => planned();
  answers["POST /transfers/1/finish"] = () => planned("a.nii", "b.nii", "c.nii");
  const second = held({ id: "u2", row: "<tr></tr>", verdict: "reject" }, 422);
  const verdicts = [Promise.resolve(json({ id: "u1", row: "<tr></tr>", verdict: "accept" }, 201)), second.answer];
  answers["POST /transfers/1/take"] = () => verdicts.shift()!;
  page.choose(makeFile("set.zip"));
  await vi.waitFor(() => expect(verdicts).toHaveLength(0));
  cancel(0);
  second.come();
  await ended();
  expect(removed()).toEqual(["/uploads/u1", "/uploads/u2", "/transfers/1"]);
  expect(page.summary.textContent).toBe("0 files received, 1 file cancelled.");
});

test("a cancelled file that can't be discarded says where it stands", async () => {
  answers["POST /plan"] = () => planned("a.nii");
  answers["DELETE"] = () => away;
  const judged = held({ detail: "late" }, 422);
  answers["POST /transfers/1/finish"] = () => judged.answer;
  page.choose(makeFile("a.nii"));
  await reach("/transfers/1/finish");
  vi.stubGlobal("setTimeout", (act: () => void) => queueMicrotask(act));
  cancel(0);
  judged.come();
  await vi.waitFor(() => expect(page.bar.hidden).toBe(true), { interval: 1 });
  expect(page.rows.textContent).toContain("stands under the unfinished uploads");
});
