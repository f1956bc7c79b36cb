// The users of the service: by status, search and order, as CSV, and several of them at once.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { base, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

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
  const selected = page.locator(".selected");
  await picture(page, "users-selected");
  await isAccessible(page);
  await selected.getByRole("button", { name: "Check now" }).click();
  await page.getByText("The mailboxes of 2 users are checked").waitFor();
  // What is refused is named, with the service's words.
  await selected.getByRole("button", { name: "Sync now" }).click();
  await page.locator("dialog").getByRole("button", { name: "Sync now" }).click();
  await page.getByText("It was refused for 2 users:").waitFor();
  await page.getByText('the migration user "person10@contoso.edu" cannot be synced now').waitFor();

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
