// 11, and reports: skipped messages of a batch by kind, approved with the caller's name; reports equal those of the command line.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { base, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("reports", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Staff/skipped`);
  await page.getByRole("row", { name: /user1@contoso.edu Large/ }).waitFor();
  await page.getByRole("row", { name: /user2@contoso.edu Large/ }).waitFor();
  await page.getByText("Messages of 2 users wait for your approval.").waitFor();
  await picture(page, "skipped-tab");
  await isAccessible(page);
  // The message is saved with the bytes that it has on the source.
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("row", { name: /user1@contoso.edu/ }).getByRole("button", { name: /^Save .eml/ }).click()]);
  assert.match(saved.suggestedFilename(), /^Large-\d+\.eml$/);
  assert.ok(readFileSync(await saved.path()).equals(readFileSync(facts.message)));
  // The link opened once.
  assert.equal((await page.request.get(saved.url())).status(), 404);
  await page.getByRole("row", { name: /user1@contoso.edu/ }).getByRole("button", { name: "Approve" }).click();
  await page.getByText("Messages of 1 user wait for your approval.").waitFor();
  await page.getByRole("button", { name: "Approve all" }).click();
  await page.locator("dialog").getByText("This concerns 1 user.").waitFor();
  await isAccessible(page);
  await page.locator("dialog").getByRole("button", { name: "Approve all" }).click();
  await page.getByText("These messages are approved.").waitFor();
  for (const user of await world("results", "Get-MigrationUser", "-BatchId", "Staff")) assert.equal(user.HasUnapprovedSkippedItems, false);
  // Repair is allowed for the next sync.
  await page.getByRole("button", { name: "Allow repair" }).click();
  await page.locator("dialog").getByRole("button", { name: "Allow repair" }).click();
  await page.getByText("Repair is allowed in Staff").waitFor();
  assert.ok((await world("results", "Get-MigrationBatch", "Staff"))[0].Repair.includes("LongLines"));
  await keepsPolicy(page);

  await page.locator(".tabs").getByRole("link", { name: "Reports" }).click();
  await page.getByRole("heading", { name: "Files" }).waitFor();
  await picture(page, "reports");
  await isAccessible(page);
  for (const [name, kind] of [["Statistics", "Statistics"], ["Errors", "Errors"], ["Skipped messages", "SkippedItems"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: `Download CSV: ${name}` }).click()]);
    assert.equal(download.suggestedFilename(), `Staff-${kind}.csv`);
    const wanted = (await world("results", "Export-MigrationReport", "Staff", "-Kind", kind)).map((it) => it.Content).join("");
    assert.equal(readFileSync(await download.path(), "utf8").replace(/^\ufeff/, ""), wanted);
  }
  await keepsPolicy(page);
});
