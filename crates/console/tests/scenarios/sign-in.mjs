// 1: token, wrong token, revoked while open, expired, signed out; ticket once and twice; eleventh try.
import assert from "node:assert/strict";
import { base, facts, isAccessible, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("sign-in", async ({ page, open }) => {
  // A browser that opens the service's address comes to the console.
  await page.goto(base);
  assert.equal(new URL(page.url()).pathname, "/console/");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await picture(page, "sign-in");
  await isAccessible(page);
  await page.getByLabel("Token").fill("mh_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("the token is unknown").waitFor();
  assert.equal(await page.getByLabel("Token").inputValue(), "");

  await signIn(page, facts.token);
  await page.getByText("ada · Operator").waitFor();
  await page.getByRole("link", { name: "Staff" }).waitFor();
  // No script can read the cookie; the key alone is in the storage.
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), ["mailhaul-key"]);
  // Another tab is signed in too, and so is a page that is loaded again.
  const other = await page.context().newPage();
  await other.goto(`${base}/console/batches`);
  await other.locator(".lamp.good").waitFor();
  await page.reload();
  await page.locator(".lamp.good").waitFor();

  // Signing out in one tab ends the other.
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  assert.deepEqual(await page.context().cookies(), []);
  await other.close();

  // A token that is revoked ends its sessions while their pages are open.
  const token = await world("token", "grace", "Operator");
  await signIn(page, token);
  await world("results", "Remove-MigrationApiToken", "grace");
  await page.getByText("The session has ended").waitFor();

  // An hour without use ends a session.
  await signIn(page, facts.token);
  await world("stop");
  await world("age sessions");
  await world("start");
  await page.getByText("The session has ended").waitFor();

  // The address of `mailhaul console` opens once.
  const { stdout } = await world("run", "console");
  const address = stdout.trim();
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/console\/#ticket=[\w-]{43}$/);
  const local = await open();
  await local.goto(address);
  await local.locator(".lamp.good").waitFor();
  assert.equal(local.url(), `${base}/console/`);
  await local.getByText("Admin").waitFor();
  await local.getByRole("link", { name: "Audit log" }).click();
  await local.getByRole("cell", { name: "ada (console)" }).first().waitFor();
  await local.getByRole("cell", { name: "127.0.0.1" }).first().waitFor();
  await picture(local, "audit");
  await isAccessible(local);
  await local.context().close();
  await page.goto("about:blank");
  await page.goto(address);
  await page.getByText("opens once, within 60 seconds").waitFor();

  // The eleventh try waits, also with the right token: it would be the third of this address now.
  const statuses = [];
  for (let attempt = 0; attempt < 12 && statuses.at(-1) !== 429; attempt++) {
    const answer = page.waitForResponse((it) => it.url() === `${base}/session` && it.request().method() === "POST");
    await page.getByLabel("Token").fill(`mh_wrong${attempt}`);
    await page.getByRole("button", { name: "Sign in" }).click();
    statuses.push((await answer).status());
  }
  assert.equal(statuses.at(-1), 429);
  assert.ok(statuses.length <= 11, `${statuses}`);
  const answer = page.waitForResponse((it) => it.url() === `${base}/session` && it.request().method() === "POST");
  await page.getByLabel("Token").fill(facts.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  const refused = await answer;
  assert.equal(refused.status(), 429);
  assert.ok(Number(refused.headers()["retry-after"]) > 0);
  await page.getByText("too many wrong sign-ins").waitFor();
});
