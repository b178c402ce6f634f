import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readStudy, RequestError, sendScore, type ScoreBody } from "../src/api";

const OURS = "application/problem+json";

beforeEach(() => {
  vi.stubGlobal("document", { cookie: "csrftoken=T", querySelector: () => null });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** How the answer of a server to a score is understood. */
async function understand(status: number, kind: string, body = "{}"): Promise<RequestError> {
  vi.stubGlobal("fetch", async () => new Response(body, { status, headers: { "Content-Type": kind } }));
  return sendScore("/scores", {} as ScoreBody).then(
    () => expect.unreachable(), (error: RequestError) => error);
}

test.each([400, 409, 410, 422])("a %i of this site is a refusal for good, in its words", async (status) => {
  const stored = { revision: 1, answers: {}, comment: "" };
  const body = JSON.stringify({ detail: "The study is closed.", stored });
  expect(await understand(status, OURS, body))
    .toMatchObject({ failure: "refused", message: "The study is closed.", status, stored });
  expect((await understand(status, `${OURS}; charset=utf-8`)).failure).toBe("refused");
});

test.each([
  [400, "text/html"], [404, "text/html"], [409, "application/json"], [413, "text/plain"], [422, ""],
])("a %i as %s is a proxy's: the score waits and is sent again", async (status, kind) => {
  const error = await understand(status, kind, "<h1>Bad</h1>");
  expect(error).toMatchObject({ failure: "busy", message: "The server is busy." });
});

test.each([408, 425, 429, 500, 502, 503, 504])("a %i passes, whoever says it", async (status) => {
  expect((await understand(status, "text/html")).failure).toBe("busy");
  expect(await understand(status, OURS, '{"detail": "Try again soon."}'))
    .toMatchObject({ failure: "busy", message: "Try again soon." });
});

test("401 and 403 mean signed out, and so does an item of this site that is not found", async () => {
  for (const status of [401, 403, 404]) {
    expect((await understand(status, OURS)).failure).toBe("signed-out");
  }
});

test("a refusal whose body is cut short is still a refusal", async () => {
  expect(await understand(409, OURS, '{"detail": "The st'))
    .toMatchObject({ failure: "refused", message: "The server refused (409)." });
});

test("no answer is offline, and half an answer is busy", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  await expect(readStudy("/")).rejects.toMatchObject({ failure: "offline" });
  vi.stubGlobal("fetch", async () => new Response('{"saved": tr'));
  await expect(readStudy("/")).rejects.toMatchObject({ failure: "busy" });
});
