// 11, in part: a message that is too large is named with its folder and reason, and approved.
import assert from "node:assert/strict";
import { facts, isAccessible, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("skipped", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByText(/1 user of the batch "Staff" .*skipped/).waitFor();
  await page.getByRole("link", { name: "Look" }).click();
  await page.getByRole("link", { name: "user1@contoso.edu" }).click();
  const skipped = page.locator(".drawer section", { hasText: "Skipped messages" });
  await skipped.getByRole("cell", { name: "Large", exact: true }).waitFor();
  await picture(page, "skipped");
  await isAccessible(page);
  await skipped.getByRole("button", { name: "Approve" }).click();
  await skipped.getByText("These messages are approved.").waitFor();
  const [user] = await world("results", "Get-MigrationUser", "user1@contoso.edu");
  assert.equal(user.HasUnapprovedSkippedItems, false);
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("Nothing needs you.").waitFor();
});
