// 14: other port with the cookie, no key, no cookie, foreign origin, framed, text/plain: refused, and not carried out.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { base, facts, scenario, signIn } from "./harness.mjs";

await scenario("forged", async ({ page, faults }) => {
  await signIn(page, facts.token);
  const [cookie] = (await page.context().cookies()).filter((it) => it.name === "__Host-mailhaul");
  assert.ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict", JSON.stringify(cookie));
  const halves = { Cookie: `${cookie.name}=${cookie.value}`, "Mailhaul-Key": await page.evaluate(() => localStorage.getItem("mailhaul-key")) };
  const { Cookie, "Mailhaul-Key": Key } = halves;
  const own = { Origin: base, "Content-Type": "application/json" };
  const start = `${base}/api/v1/batches/Staff/start`;
  const status = async (method, address, headers, body) => {
    const answer = await fetch(address, { method, headers, body });
    await answer.body?.cancel();
    return answer.status;
  };

  assert.equal(await status("GET", `${base}/api/v1/batches`, halves), 200);
  assert.equal(await status("GET", `${base}/api/v1/batches`, { Cookie }), 401);
  assert.equal(await status("GET", `${base}/api/v1/batches`, { "Mailhaul-Key": Key }), 401);
  assert.equal(await status("GET", `${base}/api/v1/batches`, { ...halves, "Mailhaul-Key": `${Key}x` }), 401);
  assert.equal(await status("GET", `${base}/api/v1/events`, { Cookie }), 401);
  assert.equal(await status("GET", `${base}/metrics`, { Cookie }), 401);
  // A token beside a session is refused, and alone it works as before.
  const Authorization = `Bearer ${facts.token}`;
  assert.equal(await status("GET", `${base}/api/v1/batches`, { ...halves, Authorization }), 401);
  assert.equal(await status("GET", `${base}/api/v1/batches`, { Authorization }), 200);
  // Changes: without an origin, with a foreign one, with the word of a browser that it is foreign, as a form.
  for (const headers of [
    halves, { ...halves, ...own, Origin: "https://evil.example" }, { ...halves, ...own, Origin: "null" }, { ...halves, ...own, Origin: base.replace("http:", "https:") },
    { ...halves, ...own, "Sec-Fetch-Site": "same-site" }, { ...halves, ...own, "Sec-Fetch-Site": "cross-site" }, { ...halves, ...own, "Sec-Fetch-Site": "none" },
  ]) assert.equal(await status("POST", start, headers, "{}"), 403, JSON.stringify(headers));
  assert.equal(await status("POST", start, { ...own, Cookie }, "{}"), 401);
  assert.equal(await status("POST", start, { ...halves, ...own, "Content-Type": "text/plain" }, "{}"), 415);
  assert.equal(await status("POST", `${base}/session`, { Origin: "https://evil.example", "Content-Type": "application/json" }, JSON.stringify({ Token: facts.token })), 403);
  assert.equal(await status("POST", `${base}/session`, { Origin: base, "Content-Type": "text/plain" }, JSON.stringify({ Token: facts.token })), 422);
  assert.equal(await status("DELETE", `${base}/session`, { ...halves, Origin: "https://evil.example" }), 403);
  // Tickets are for the socket alone.
  assert.equal(await status("POST", `${base}/session/ticket`, { ...halves, ...own }, ""), 403);
  assert.equal(await status("POST", `${base}/session/ticket`, { Authorization }, ""), 403);

  // A page on another port of the same host: the browser sends the cookie along, and all of it is refused.
  const seen = [];
  const listener = (request) => request.url().startsWith(base) && seen.push(request);
  const evil = createServer((request, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<title>other</title><iframe id=f></iframe>"));
  await new Promise((done) => evil.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${evil.address().port}`;
  faults.allowed = (url) => url.startsWith(origin);
  const other = await page.context().newPage();
  other.on("request", listener);
  await other.goto(origin);
  const outcomes = await other.evaluate(async ([base, start]) => {
    const attempt = async (address, options) => fetch(address, { credentials: "include", ...options }).then((it) => `${it.type} ${it.status}`, () => "refused");
    return [
      await attempt(`${base}/api/v1/batches`, {}), await attempt(start, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }),
      await attempt(start, { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: "{}" }),
      await attempt(`${base}/session`, { method: "POST", mode: "no-cors", body: "{}" }),
    ];
  }, [base, start]);
  // An opaque answer tells the page nothing; that nothing was carried out, the status of the batch tells at the end.
  assert.deepEqual(outcomes, ["refused", "refused", "opaque 0", "refused"]);
  assert.ok(seen.length >= 3, `${seen.length} requests were sent`);
  // In a frame the console is not shown.
  const framed = other.waitForEvent("console", (it) => /frame-ancestors/.test(it.text()));
  await other.evaluate((base) => (document.getElementById("f").src = `${base}/console/`), base);
  await framed;
  await other.close();
  evil.close();
  // What the foreign page was refused is what this scenario is about.
  faults.splice(0, faults.length, ...faults.filter((it) => !/frame-ancestors|CORS policy|Content Security Policy/.test(it)));
  assert.equal(await status("GET", `${base}/api/v1/batches`, halves), 200);
  await page.goto(`${base}/console/batches/Staff`);
  await page.locator("h1 + .badge", { hasText: "Created" }).waitFor();
});
