/** The console in a real browser, on a real server: from an empty server to recall. The tests go on one after another. */

import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Stage } from "../../src/api/types";
import { pythonText } from "../../src/query/python_text";
import { environment, KEY, PYTHON, ROOT, started, type Server } from "./server";
import { LARGE_ID, LARGE_NUMBER, POINTS, SCRIPT, shopLines } from "./shop";

const CHROMIUM = process.env["CHROMIUM"] ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path)) ?? "";
const PICTURES = process.env["PICTURES"] ?? join(ROOT, ".cache/console");
const run = promisify(execFile);

let server: Server;
let browser: Browser;
let page: Page;
/** What went wrong in the page, without a test having seen it. */
const complaints: string[] = [];
const origins = new Set<string>();

const go = (...place: string[]) => page.goto(`${server.http}/console/#/${place.map(encodeURIComponent).join("/")}`);
const button = (name: string | RegExp) => page.getByRole("button", typeof name === "string" ? { name, exact: true } : { name });
const choose = (name: string) => page.getByRole("radio", { name, exact: true }).click();
const picture = (name: string, fullPage = false) => page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled", fullPage });

async function call<Reply>(method: string, request: object): Promise<Reply> {
  const reply = await fetch(`${server.http}/headwater.v1.${method}`, { method: "POST", headers: { "content-type": "application/json", "api-key": KEY }, body: JSON.stringify(request) });
  return (await reply.json()) as Reply;
}

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  server = await started();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", serviceWorkers: "block" });
  page = await context.newPage();
  page.setDefaultTimeout(Number(process.env["PATIENCE"] ?? 20_000));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && !/status of 4\d\d/.test(message.text()) && complaints.push(message.text()));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await picture("failure");
});

describe("the console", () => {
  test("asks for the key, and keeps it out of storage unless it is told to", async () => {
    await go();
    await page.getByRole("alert").getByText("unauthenticated", { exact: true }).waitFor();
    await button("Api-key").click();
    await page.getByLabel("Key", { exact: true }).fill(KEY);
    await page.keyboard.press("Enter");
    await page.getByText("There is no collection yet").waitFor();
    const stored = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(await stored()).not.toContain(KEY);
    await button("Key set").click();
    await page.getByLabel("Keep it when this tab reloads").check();
    await button("Use").click();
    await page.reload();
    await page.getByText("There is no collection yet").waitFor();
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(KEY);
  });

  test("imports a file into a new collection, and shows its health", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "shop-")), "shop.jsonl");
    writeFileSync(file, shopLines().join("\n"));
    await page.getByRole("link", { name: "Import a file" }).click();
    await page.getByLabel(/^File/).setInputFiles(file);
    expect(await page.getByLabel("Collection").inputValue()).toBe("shop");
    await page.getByLabel("Dimensions").nth(1).waitFor();
    for (const index of await page.getByLabel("Index", { exact: true }).all()) await index.selectOption("hnsw");
    await page.getByLabel("Text indexes, for BM25").fill("title");
    await button("Import").click();
    await page.getByText(`${(POINTS + 1).toLocaleString("en")} points written: done`).waitFor();
    expect(await call("Points/Count", { collectionName: "shop" })).toMatchObject({ count: String(POINTS + 1) });
    await go("collections");
    const row = page.getByRole("row", { name: /shop/ });
    await row.getByText((POINTS + 1).toLocaleString("en")).waitFor();
    await row.getByRole("link", { name: "shop" }).click();
    await button("Optimize").click();
    await expect.poll(async () => (await call<{ spaces: Record<string, { segments?: string }> }>("VDE/GetStats", { collectionName: "shop" })).spaces["text"]?.segments, { timeout: 30_000 }).toBe("1");
    await page.getByRole("cell", { name: "hnsw bfloat16" }).first().waitFor();
    await picture("overview");
  });

  test("tells the line of what cannot be imported, goes on after it, and leaves closed collections closed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "shop-"));
    const file = join(folder, "small.csv");
    writeFileSync(file, 'sku,name,embedding\na,"one, two","[1,0]"\nb,x,no vector\nc,y,"[0,1]"\n');
    await go("import");
    await page.getByLabel(/^File/).setInputFiles(file);
    await page.getByLabel("Id", { exact: true }).selectOption("sku");
    await button("Import").click();
    // The space has no embedder, so the server refuses the text, and nothing of the batch is written.
    const alert = page.getByRole("alert");
    await alert.getByText("EMBEDDER_NOT_CONFIGURED").waitFor();
    expect((await call<{ count?: string }>("Points/Count", { collectionName: "small" })).count ?? "0").toBe("0");
    writeFileSync(file, "sku,name,embedding\n");
    await button("Import").click();
    await alert.getByText(/changed or removed since it was chosen/).waitFor();
    const other = join(folder, "other.csv");
    writeFileSync(other, 'key,name,embedding\na,"one, two","[1,0]"\nb,x\nc,y,"[0,1]"\n');
    await page.getByLabel(/^File/).setInputFiles(other);
    await page.getByLabel("Id", { exact: true }).selectOption("key");
    await button("Import").click();
    await alert.getByText(/line 3: it has 2 columns/).waitFor();
    await page.getByLabel("Skip lines that are wrong").check();
    await button(/^Go on after/).click();
    await page.getByText("2 points written, 1 lines skipped: done").waitFor();
    await go("collections", "small", "overview");
    await button("Close").click();
    await button("Open").waitFor();
    await go("collections");
    await page.getByRole("row", { name: /small closed/ }).waitFor();
    expect(await call("VDE/GetState", { collectionName: "small" })).toMatchObject({ state: "COLLECTION_STATE_CLOSED" });
    await call("Collections/Delete", { collectionName: "small" });
  });

  test("makes a collection by its form, and shows the server's error with its field", async () => {
    await go("collections");
    await button("New collection").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).first().fill("by-form");
    await dialog.getByLabel("Dimensions").fill("70000");
    await dialog.getByRole("button", { name: "Create" }).click();
    const alert = dialog.getByRole("alert");
    await alert.getByText("invalid argument", { exact: true }).waitFor();
    expect(await alert.locator("dt code").allTextContents()).not.toEqual([]);
    await dialog.getByLabel("Dimensions").fill("4");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "by-form" }).waitFor();
    await button("Delete …").click();
    const sure = page.getByRole("button", { name: "Delete for ever" });
    expect(await sure.isDisabled()).toBe(true);
    await page.getByLabel("Type its name").fill("by-form");
    await sure.click();
    await page.getByRole("heading", { name: "Collections", exact: true }).waitFor();
    expect(await call("Collections/List", {})).toEqual({ collectionNames: ["shop"] });
  });

  test("browses points by a filter as a form and as text, with every digit, and shows texts as texts", async () => {
    await go("collections", "shop", "points");
    await button("+ condition").click();
    await page.getByLabel("Field").fill("price");
    await page.getByLabel("Test").selectOption("<");
    await page.getByLabel("Value").fill("3");
    await button("Show").click();
    const { count } = await call<{ count: string }>("Points/Count", { collectionName: "shop", filter: { expression: "price < 3" } });
    await page.getByText(`${count} match`).waitFor();
    await choose("Text");
    await page.getByLabel("Filter as text").fill("price > ");
    await button("Show").click();
    const alert = page.getByRole("alert");
    await alert.getByText("filter.expression", { exact: true }).waitFor();
    await page.getByLabel("Filter as text").fill(`price == 5000 or $id == ${LARGE_ID}`);
    await button("Show").click();
    await page.getByText("1 match").waitFor();
    await page.getByRole("cell", { name: SCRIPT }).waitFor();
    await button(LARGE_ID).click();
    await page.getByRole("dialog").getByText(`"large": ${LARGE_NUMBER}`).waitFor();
    await page.keyboard.press("Escape");
    expect(await page.title()).toBe("shop · Headwater");
  });

  test("builds a query of three stages, and reads its plan", async () => {
    await go("collections", "shop", "query");
    await page.getByLabel("Limit").fill("30");
    await page.getByLabel("Space").selectOption("text");
    await button("Add leaf").click();
    await page.getByLabel("Rank by").selectOption({ label: "words, by BM25" });
    await page.getByLabel("Words").fill("red boot");
    await page.getByLabel("Last word is a prefix").check();
    await page.getByRole("treeitem", { name: /RRF/ }).click();
    await button("Re-rank").click();
    await page.getByLabel("Space").selectOption("image");
    await page.getByLabel("Limit").fill("10");
    await button("+ condition").click();
    await page.getByLabel("Field").fill("price");
    await page.getByLabel("Test").selectOption("<");
    await page.getByLabel("Value").fill("120");
    await page.keyboard.press("Control+Enter");
    await page.getByText(/10 hits of \d+ in/).waitFor();
    await picture("hits");
    await choose("Plan");
    const operators = await page.locator("svg [role=treeitem]").evaluateAll((all) => all.map((each) => each.getAttribute("aria-label") ?? ""));
    const named = operators.map((label) => label.split(" of ")[0]);
    for (const name of ["fetch", "gate", "rescore", "rrf", "search", "bm25"]) expect(named).toContain(name);
    expect(operators.find((label) => label.startsWith("gate"))).toMatch(/\d+ → \d+ rows, \d+ dropped/);
    expect(operators.find((label) => label.startsWith("search"))).toMatch(/hnsw|exact/);
    await page.locator("svg [role=treeitem]").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.locator(".details").getByText("limit", { exact: true }).first().waitFor();
  });

  test("says why a point is missing, and marks where it was lost", async () => {
    const hits = await page.evaluate(() => sessionStorage.getItem("headwater.draft.query.shop"));
    const answer = await call<{ result: { points: { id: { number: string } }[] } }>("Points/Query", { collectionName: "shop", ...JSON.parse(hits ?? "{}") });
    const found = new Set(answer.result.points.map((point) => point.id.number));
    const missing = Array.from({ length: POINTS }, (_, at) => String(at + 1)).find((id) => id !== "1" && !found.has(id))!;
    const why = page.getByRole("region", { name: "Why a point is in or out" });
    await why.getByLabel("Why is this point in or out?").fill(missing);
    await button("Why?").click();
    await why.getByText(`${missing} is not in the answer`).waitFor();
    expect(await page.locator("svg .operator.lost").count()).toBeGreaterThan(0);
    await page.evaluate(() => scrollTo(0, 0));
    await picture("plan", true);
    await why.getByLabel("Why is this point in or out?").fill(answer.result.points[0]!.id.number);
    await button("Why?").click();
    await why.getByText("is in the answer").waitFor();
    expect(await page.locator("svg .operator.kept").count()).toBeGreaterThan(2);
    await why.getByLabel("Why is this point in or out?").fill("no-such-point");
    await button("Why?").click();
    await why.locator(".verdict.out").getByText(/no-such-point/).waitFor();
  });

  test("writes the query as programs that find the same", async () => {
    const draft = JSON.parse((await page.evaluate(() => sessionStorage.getItem("headwater.draft.query.shop"))) ?? "{}") as object;
    const answer = await call<{ result: { points: { id: { number: string } }[] } }>("Points/Query", { collectionName: "shop", ...draft });
    const ids = answer.result.points.map((point) => point.id.number);
    await choose("Python");
    const program = (await page.locator("pre.text").innerText()).replace('Client("localhost:50051")', `Client("${server.grpc}", api_key="${KEY}")`);
    const printed = await run(PYTHON, ["-c", program], { env: environment() });
    expect(printed.stdout.trim().split("\n").map((line) => line.split(" ")[0])).toEqual(ids);
    await choose("curl");
    const curl = (await page.locator("pre.text").innerText()).replace("-H 'content-type", `-H 'api-key: ${KEY}' -H 'content-type`);
    const replied = JSON.parse((await run("bash", ["-c", curl])).stdout) as typeof answer;
    expect(replied.result.points.map((point) => point.id.number)).toEqual(ids);
    await choose("Go");
    const go_ = await page.locator("pre.text").innerText();
    if (hasGo()) expect(execFileSync("gofmt", { input: `${go_}\n` }).toString().trim()).toBe(go_.trim());
    await choose("JSON");
    const request = page.getByLabel("Request of Points/Query");
    expect(JSON.parse(await request.inputValue())).toEqual({ collectionName: "shop", ...draft });
    await request.fill('{"limit": 1,');
    await page.getByText(/line 1, column \d+/).waitFor();
    await request.fill(JSON.stringify({ collectionName: "shop", ...draft }));
    await choose("Form");
  });

  test("writes every way to rank in Python, with the plan that its JSON has", async () => {
    const stages = everyRank();
    const bodies = stages.map((stage) => pythonText("shop", stage));
    const programs = bodies.map((text) => text.replace("client.points.query(", "client.points.explain(").replace(/    for hit in hits:[^]*/, "    print(json.dumps(hits.text))\n"));
    const answered = bodies.map((text, at) => (text.includes("client.points.query(") ? programs[at]! : undefined));
    const own = answered.filter((program) => program !== undefined).map((program) => program.replace('Client("localhost:50051")', `Client("${server.grpc}", api_key="${KEY}")`));
    expect(own.length).toBe(stages.length - 1);
    const printed = await run(PYTHON, ["-c", ["import json", ...own].join("\n")], { env: environment() });
    const texts = printed.stdout.trim().split("\n").map((line) => JSON.parse(line) as string);
    for (const [at, stage] of stages.filter((_, each) => answered[each] !== undefined).entries()) {
      const { explanation } = await call<{ explanation: { text: string } }>("Points/Explain", { query: { collectionName: "shop", ...stage } });
      expect(texts[at], JSON.stringify(stage)).toBe(explanation.text);
    }
    // What has no words in the client's own form is sent as a message.
    const message = bodies.find((_, at) => answered[at] === undefined)!;
    const channel = `grpc.intercept_channel(grpc.insecure_channel("${server.grpc}"))`;
    const program = message.replace('grpc.insecure_channel("localhost:50051")', channel).replace(".Query(query)", `.Query(query, metadata=(("api-key", "${KEY}"),))`);
    expect((await run(PYTHON, ["-c", program], { env: environment() })).stdout).toContain("number:");
  });

  test("shows two queries side by side, with the differences of ranks", async () => {
    await button("Pin as A").click();
    await page.getByRole("heading", { name: "A", exact: true }).waitFor();
    const b = page.getByRole("region", { name: "Query B" });
    await b.getByLabel("Limit").fill("8");
    await b.getByRole("treeitem", { name: /BM25/ }).click();
    await b.getByLabel("Words").fill("blue hat");
    await button("Run both").click();
    await page.getByText("Mean shift").waitFor();
    expect(await page.locator("svg.slopes .slope").count()).toBeGreaterThan(8);
    expect(await page.locator("td.move").allTextContents()).toContain("gone");
    await page.locator("svg.slopes").scrollIntoViewIfNeeded();
    await picture("compare");
  });

  test("plots recall against latency, as measured", async () => {
    await go("collections", "shop", "recall");
    await page.getByLabel("Space").selectOption("text");
    await page.getByLabel(/^Widths/).fill("4, 16, 64");
    await page.getByLabel("Sampled vectors").fill("50");
    await button("Measure").click();
    await page.locator(".plot canvas").waitFor();
    const rows = await page.locator(".scroll tbody tr").evaluateAll((all) => all.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)));
    expect(rows.map((row) => row[0])).toEqual(["ef 4", "ef 16", "ef 64", "exact"]);
    const recalls = rows.map((row) => Number(row[1]));
    expect(recalls[3]).toBe(1);
    expect(recalls[2]).toBeGreaterThanOrEqual(recalls[0]!);
    const asked = await call<{ average: number }>("VDE/EvaluateRecall", { collectionName: "shop", using: "text", sample: 50, params: { hnswEf: 4 } });
    expect(recalls[0]).toBeCloseTo(asked.average, 3);
    await picture("recall");
  });

  test("shows tasks and metrics as they are", async () => {
    await go("tasks");
    await page.getByRole("cell", { name: /shop/ }).first().waitFor();
    await go("metrics");
    await page.getByRole("cell", { name: "headwater_requests_total", exact: true }).waitFor();
    await page.getByText(/headwater.v1.Points\//).first().waitFor();
    for (let at = 1; at <= 100; at++) await call("Points/Search", { collectionName: "shop", vector: { id: { number: String(at) } }, using: "text" });
    await expect.poll(() => page.locator(".plot canvas").count(), { timeout: 20_000 }).toBeGreaterThan(3);
    await page.getByText(/searches [1-9][\d.]* \/s/).waitFor();
    await picture("metrics");
  });

  test("is used by keys alone", async () => {
    await go("collections", "shop", "overview");
    await page.getByRole("heading", { name: "Work" }).waitFor();
    await page.keyboard.type("gq");
    await page.getByRole("tree", { name: "Stages" }).waitFor();
    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toMatch(/INPUT|SELECT|TEXTAREA/);
    await page.keyboard.press("Escape");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator("dialog").count()).toBe(0);
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline).not.toBe("none");
  });

  test("names each control, fits a phone, and follows the system's colours and the switch", async () => {
    const draft = (await page.evaluate(() => sessionStorage.getItem("headwater.draft.query.shop"))) ?? "";
    const context = await browser.newContext({ viewport: { width: 375, height: 740 }, colorScheme: "dark" });
    await context.addInitScript(([key, query]) => (sessionStorage.setItem("headwater.api-key", key!), sessionStorage.setItem("headwater.draft.query.shop", query!)), [KEY, draft]);
    const visit = async (place: string): Promise<Page> => {
      const phone = await context.newPage();
      await phone.goto(`${server.http}/console/#/${place}`);
      await phone.locator("main h1").waitFor();
      await phone.waitForLoadState("networkidle").catch(() => {});
      expect(await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), place).toBeLessThanOrEqual(0);
      expect(await phone.evaluate(namelessControls), place).toEqual([]);
      return phone;
    };
    const places = ["", "collections/shop/overview", "collections/shop/points", "collections/shop/compare", "collections/shop/recall", "import", "tasks", "metrics"];
    await Promise.all(places.map(visit));
    const phone = await visit("collections/shop/query");
    await phone.getByRole("button", { name: "Run", exact: true }).click();
    await phone.getByRole("radio", { name: "Plan", exact: true }).click();
    await phone.locator(".picture").scrollIntoViewIfNeeded();
    await phone.evaluate(() => scrollBy(0, 500));
    await phone.screenshot({ path: join(PICTURES, "phone.png") });
    const back = () => phone.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await back();
    await phone.getByRole("button", { name: "Colours: system" }).click();
    expect(await back()).not.toBe(dark);
    await phone.getByRole("button", { name: "Colours: light" }).click();
    expect(await back()).toBe(dark);
    await context.close();
  });

  test("shows a key of a tenant its points alone, and says what it may not do", async () => {
    const { secret } = await call<{ secret: string }>("Keys/Create", { keyName: "tenant", scope: "KEY_SCOPE_READ", collections: ["shop"], filter: 'brand == "Acme"' });
    const tenant = await browser.newPage();
    await tenant.goto(`${server.http}/console/`);
    await tenant.evaluate((key) => sessionStorage.setItem("headwater.api-key", key), secret);
    await tenant.goto(`${server.http}/console/#/collections/shop/points`);
    await tenant.reload();
    const { count } = await call<{ count: string }>("Points/Count", { collectionName: "shop", filter: { expression: 'brand == "Acme"' } });
    await tenant.getByText(`${count} points`).waitFor();
    await tenant.goto(`${server.http}/console/#/collections/shop/query`);
    await tenant.getByLabel("Rank by").selectOption({ label: "words, by BM25" });
    await tenant.getByLabel("Words").fill("red");
    await tenant.getByRole("button", { name: "Run", exact: true }).click();
    await tenant.getByText(/10 hits/).waitFor();
    expect(new Set(await tenant.getByRole("cell", { name: /^(Acme|Brio)$/ }).allTextContents())).toEqual(new Set(["Acme"]));
    await tenant.getByRole("radio", { name: "Plan", exact: true }).click();
    await tenant.getByText("may not see how queries run").waitFor();
    await tenant.goto(`${server.http}/console/#/collections/shop/overview`);
    await tenant.getByRole("alert").getByText("permission denied", { exact: true }).waitFor();
    await tenant.close();
  });

  test("asks no other server, and complained of nothing", () => {
    expect([...origins]).toEqual([server.http]);
    expect(complaints).toEqual([]);
  });
});

/** A query of each kind, with each setting; the last one can only be written as a message. */
function everyRank(): Stage[] {
  const id = { id: { number: "1" } };
  const key = { vector: { dense: { values: Array.from({ length: 24 }, (_, at) => at / 8 - 1.5) } } };
  const leaf: Stage = { query: { nearest: id }, using: "text", limit: 20, params: { hnswEf: 40, filterStrategy: "FILTER_STRATEGY_POST" }, filter: { expression: 'title != "a \\"b\\" \\\\ é"' } };
  const words: Stage = { query: { bm25: { text: 'red "boot of"', fields: [{ path: "title", weight: 2 }], allTerms: true } } };
  return [
    { query: { nearest: key }, using: "text", limit: 5, offset: 2, scoreThreshold: 0.25 },
    { prefetch: [leaf, words], query: { rrf: { k: 2.5, weights: [1, 0.5] } }, filter: { expression: "price < 50" }, filterScope: "FILTER_SCOPE_PUSH_DOWN" },
    { prefetch: [leaf, { ...leaf, using: "image", params: { exact: true, indexedOnly: true } }], query: { dbsf: { weights: [2, 1] } } },
    { prefetch: [leaf], query: { rescore: { metric: "METRIC_MANHATTAN", vector: id } }, using: "image" },
    { prefetch: [leaf, words], query: { formula: { expression: { text: "$score * 2 + $score[1]" }, undefined: "UNDEFINED_SCORE_DROP" } } },
    { query: { orderBy: { path: "price", direction: "DIRECTION_DESCENDING" } } },
    { query: { sample: { seed: "18446744073709551615" } } },
    { query: { nearestWithMmr: { nearest: id, diversity: 0.25, candidates: 50 } }, using: "text" },
    { query: { recommend: { positive: [id, key], negative: [{ id: { number: "2" } }], strategy: "RECOMMEND_STRATEGY_BEST_SCORE" } }, using: "text" },
    { query: { discover: { target: id, context: [{ positive: key, negative: id }] } }, using: "text" },
    { query: { context: { pairs: [{ positive: id, negative: { id: { number: "3" } } }] } }, using: "text" },
    { query: { nearest: id }, using: "text", lookupFrom: { collectionName: "shop", using: "text" } },
    { filter: { expression: "price == 3" } },
    { query: { nearest: id }, using: "text", limit: 3, filter: { mustNot: [{ field: { path: "title", contains: '"""\\n' } }] } },
  ];
}

/** Controls that a screen reader could not name. Runs in the page. */
function namelessControls(): string[] {
  const controls = [...document.querySelectorAll<HTMLInputElement>("input, select, textarea, button, a[href]")];
  return controls.filter((each) => !each.labels?.length && !each.getAttribute("aria-label") && !each.textContent?.trim()).map((each) => each.outerHTML);
}

function hasGo(): boolean {
  try {
    execFileSync("gofmt", { input: "package main\n" });
    return true;
  } catch {
    return false;
  }
}
