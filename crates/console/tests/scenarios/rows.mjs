// 4, in part: 1,500 users: scroll to the end, sort by each column, search; the rows equal the service's.
import assert from "node:assert/strict";
import { base, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("rows", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Large`);
  await page.locator(".foot", { hasText: /^1,500 users$/ }).waitFor();
  const scroller = page.locator(".scroller");
  assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), "1501");
  // Only the rows in sight exist.
  assert.ok(await page.locator("tbody tr").count() < 100);
  await scroller.evaluate((it) => (it.scrollTop = it.scrollHeight));
  await page.locator("tr[aria-rowindex='1501'] a").waitFor();
  const last = (await world("results", "Get-MigrationUser", "-BatchId", "Large", "-Offset", "1499")).map((it) => it.Identity);
  assert.deepEqual(await page.locator("tr[aria-rowindex='1501'] a").allTextContents(), last);
  for (const [name, by] of [["E-mail address", "EmailAddress"], ["Status", "Status"], ["Progress", "PercentageComplete"], ["Messages", "SyncedItemCount"], ["Skipped", "SkippedItemCount"], ["Transferred", "BytesTransferred"], ["Details", "ErrorClass"]]) {
    for (const descending of [[], ["-Descending"]]) {
      await page.getByRole("columnheader", { name }).getByRole("link").click();
      await page.locator(`th[aria-sort=${descending.length ? "descending" : "ascending"}]`, { hasText: name }).waitFor();
      await scroller.evaluate((it) => (it.scrollTop = 0));
      const wanted = (await world("results", "Get-MigrationUser", "-BatchId", "Large", "-SortBy", by, ...descending, "-ResultSize", "10")).map((it) => it.Identity);
      await page.waitForFunction((wanted) => wanted.every((it, at) => document.querySelector(`tr[aria-rowindex="${at + 2}"] a`)?.textContent === it), wanted);
    }
  }
  await picture(page, "rows");
  await page.getByRole("searchbox").fill("person77");
  await page.locator(".foot", { hasText: /^11 users$/ }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("search"), "person77");
  await isAccessible(page);
  await keepsPolicy(page);
  await page.getByRole("searchbox").fill("nothing like this");
  await page.getByText("No user matches.").waitFor();
});
