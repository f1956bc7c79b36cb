// 12: stop, sync now, complete and remove ask once, with numbers; removal asks for the name; CompleteAfter in another zone.
import assert from "node:assert/strict";
import { base, closeDialog, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("orders", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Staff`);
  const changes = [];
  page.on("request", (it) => it.url().includes("/api/v1/") && it.method() !== "GET" && changes.push(`${it.method()} ${new URL(it.url()).pathname}`));
  const dialog = page.locator("dialog"), head = page.locator("main > .head");
  const ask = async (name) => head.getByRole("button", { name, exact: true }).click();
  const batch = async () => (await world("results", "Get-MigrationBatch", "Staff"))[0];
  await head.getByRole("button", { name: "Start", exact: true }).click();
  await page.locator("h1 + .badge", { hasText: "Synced" }).waitFor();
  assert.equal(changes.length, 1);

  await ask("Sync now");
  await dialog.getByText("3 synced users are synced again now").waitFor();
  await picture(page, "ask-sync");
  await isAccessible(page);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal(changes.length, 1);
  await ask("Sync now");
  await dialog.getByRole("button", { name: "Sync now" }).click();
  await page.getByText("A sync of Staff was ordered").waitFor();
  assert.deepEqual(changes.slice(1), ["PATCH /api/v1/batches/Staff"]);

  // The final sync at six in the morning of New York, whatever the browser's zone.
  await page.locator(".tabs").getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Time zone").fill("America/New_York");
  await page.getByLabel("Complete after").fill("2099-12-01T06:00");
  await page.getByText("Time of America/New_York. Here that is").waitFor();
  await page.getByText("2099-12-01 11:00:00 UTC").waitFor();
  await picture(page, "settings");
  await isAccessible(page);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The settings of Staff are saved").waitFor();
  const saved = await batch();
  assert.deepEqual([saved.CompleteAfterUTC, saved.TimeZone], ["2099-12-01T11:00:00Z", "America/New_York"]);
  await page.waitForFunction(() => document.querySelector("[name=CompleteAfter]")?.value === "2099-12-01T06:00");
  // With another zone, the time in the field is one of that zone.
  await page.getByLabel("Time zone").fill("Europe/Berlin");
  await page.getByRole("button", { name: "Show command" }).last().click();
  await page.getByText("-CompleteAfter '2099-12-01T06:00' -TimeZone 'Europe/Berlin'").waitFor();
  await closeDialog(page);
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForFunction(() => document.querySelector(".settings .button.first")?.getAttribute("aria-disabled") === "true");
  assert.equal((await batch()).CompleteAfterUTC, "2099-12-01T05:00:00Z");
  // What the service refuses stays in the form, with its words.
  await page.getByLabel("Time between syncs").fill("often");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/SyncInterval/).first().waitFor();
  assert.equal(await page.getByLabel("Time between syncs").inputValue(), "often");
  await page.getByRole("button", { name: "Discard" }).click();
  // Removal of copies asks, with the number of users.
  await page.getByLabel("Their copies").selectOption("Mirror");
  await page.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("This concerns 3 users, and removed copies cannot be brought back.").waitFor();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.waitForFunction(() => document.querySelector(".settings .button.first")?.getAttribute("aria-disabled") === "true");
  assert.equal((await batch()).Deletions, "Mirror");
  await keepsPolicy(page);

  await ask("Stop");
  await dialog.getByText("3 users stop after their current messages").waitFor();
  await dialog.getByRole("button", { name: "Stop" }).click();
  await page.locator("h1 + .badge", { hasText: "Stopped" }).waitFor();
  await ask("Start");
  await page.locator("h1 + .badge", { hasText: "Synced" }).waitFor();
  await ask("Complete");
  await dialog.getByText("This concerns 3 users, and cannot be undone.").waitFor();
  await dialog.getByRole("button", { name: "Complete" }).click();
  await page.locator("h1 + .badge", { hasText: "Completed" }).waitFor();

  const before = changes.length;
  await ask("Remove");
  await dialog.getByText("3 users are removed").waitFor();
  await dialog.getByText("copies nothing twice").waitFor();
  await picture(page, "ask-remove");
  await isAccessible(page);
  const remove = dialog.getByRole("button", { name: "Remove" });
  await dialog.getByLabel("Name").fill("staff");
  assert.equal(await remove.getAttribute("aria-disabled"), "true");
  await page.keyboard.press("Enter");
  await remove.dispatchEvent("click");
  assert.equal(changes.length, before);
  assert.equal((await batch()).Status, "Completed");
  await dialog.getByLabel("Name").fill("Staff");
  await remove.click();
  await page.getByText("Staff was removed").waitFor();
  assert.equal(new URL(page.url()).pathname, "/console/batches");
  assert.deepEqual(changes.slice(before), ["DELETE /api/v1/batches/Staff"]);
  assert.deepEqual(await world("results", "Get-MigrationBatch"), []);
  // In the list, the same from the menu of a row.
  await world("batch", "Other", "2");
  await page.getByRole("button", { name: "Actions for Other" }).click();
  await picture(page, "row-menu");
  await isAccessible(page);
  await dialog.getByRole("button", { name: "Remove" }).click();
  await dialog.getByText("2 users are removed").waitFor();
  await dialog.getByLabel("Name").fill("Other");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("There is no batch yet.").waitFor();
});
