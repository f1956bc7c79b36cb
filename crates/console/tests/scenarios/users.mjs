// The users of the service: by status, search and order, as CSV, and many of them at once, by name or by filter.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { base, closeDialog, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("users", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByRole("link", { name: "Users" }).click();
  await page.locator(".foot", { hasText: /^130 users$/ }).waitFor();
  await page.getByRole("link", { name: "Large" }).first().waitFor();
  await picture(page, "users");
  await isAccessible(page);

  // The list of the filter as CSV, all of it.
  await page.getByRole("searchbox").fill("person1");
  await page.locator(".foot", { hasText: /^31 users$/ }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
  assert.equal(download.suggestedFilename(), "mailhaul-users.csv");
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n");
  const wanted = (await world("results", "Get-MigrationUser", "-Search", "person1", "-ResultSize", "unlimited")).map((it) => it.Identity).sort();
  assert.deepEqual(lines.slice(1).map((it) => it.split(",")[0]).sort(), wanted);
  assert.ok(lines[0].startsWith("Identity,BatchId,") && !lines.join().includes("hidden-secret"));

  // Some by name.
  const pick = (name) => page.getByLabel(`Select ${name}@contoso.edu`).check();
  await pick("person1");
  await pick("person10");
  await page.getByText("2 selected").waitFor();
  const requests = [];
  page.on("request", (it) => it.method() !== "GET" && requests.push([`${it.method()} ${new URL(it.url()).pathname}`, it.postDataJSON()]));
  const selected = page.locator(".selected");
  await selected.getByRole("button", { name: "Check now" }).click();
  await page.getByText("The mailboxes of 2 users are checked").waitFor();
  assert.equal(requests[0][1].Identities.length, 2);
  // All that match, by filter: no list is sent. Those that cannot be stopped are named.
  await selected.getByRole("button", { name: "Select all 31 that match" }).click();
  await page.getByText("All 31 that match are selected").waitFor();
  await picture(page, "users-selected");
  await isAccessible(page);
  await selected.getByRole("button", { name: "Show command" }).click();
  await page.getByText("Start-MigrationUser -AllBatches -Search 'person1'").waitFor();
  await closeDialog(page);
  await page.locator("dialog").waitFor({ state: "detached" });
  await selected.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("31 users were started").waitFor();
  assert.deepEqual(requests.at(-1), ["POST /api/v1/users/start", { AllBatches: true, Search: "person1" }]);
  // The service started those that match, and no other.
  const large = await world("results", "Get-MigrationUser", "-BatchId", "Large", "-ResultSize", "unlimited");
  const [matching, others] = [true, false].map((it) => new Set(large.filter((one) => one.Identity.includes("person1") === it).map((one) => one.Status)));
  assert.equal(others.size, 1);
  assert.ok(![...others].some((it) => matching.has(it)), `${[...matching]} and ${[...others]}`);

  // Removal says how many, and asks for the number.
  await page.goto(`${base}/console/batches/Other`);
  await page.getByLabel("Select user1@contoso.edu").check();
  await page.locator(".selected").getByRole("button", { name: "Remove" }).click();
  const dialog = page.locator("dialog");
  await dialog.getByText("Remove 1 user?").waitFor();
  await dialog.getByLabel("Name").fill("1");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("1 user was removed").waitFor();
  await page.locator(".foot", { hasText: /^9 users$/ }).waitFor();
  await keepsPolicy(page);
});
