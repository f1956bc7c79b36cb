// Checks of a long list of users, for several scenarios.
import assert from "node:assert/strict";
import { world } from "./harness.mjs";

const COLUMNS = [["E-mail address", "EmailAddress"], ["Status", "Status"], ["Progress", "PercentageComplete"], ["Messages", "SyncedItemCount"], ["Skipped", "SkippedItemCount"], ["Transferred", "BytesTransferred"], ["Details", "ErrorClass"]];

/** Scrolls to the end and sorts by each column; the rows must equal those of the service. */
export const equalsService = async (page, batch, total) => {
  const scroller = page.locator(".scroller"), end = total + 1;
  assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), String(end));
  // Only the rows in sight exist.
  assert.ok(await page.locator("tbody tr").count() < 100);
  await scroller.evaluate((it) => (it.scrollTop = it.scrollHeight));
  await page.locator(`tr[aria-rowindex='${end}'] a`).waitFor();
  const users = async (...words) => (await world("results", "Get-MigrationUser", "-BatchId", batch, ...words)).map((it) => it.Identity);
  assert.deepEqual(await page.locator(`tr[aria-rowindex='${end}'] a`).allTextContents(), await users("-Offset", String(total - 1)));
  for (const [name, by] of COLUMNS) {
    for (const descending of [[], ["-Descending"]]) {
      await page.getByRole("columnheader", { name }).getByRole("link").click();
      await page.locator(`th[aria-sort=${descending.length ? "descending" : "ascending"}]`, { hasText: name }).waitFor();
      await scroller.evaluate((it) => (it.scrollTop = 0));
      const wanted = await users("-SortBy", by, ...descending, "-ResultSize", "10");
      await page.waitForFunction((wanted) => wanted.every((it, at) => document.querySelector(`tr[aria-rowindex="${at + 2}"] a`)?.textContent === it), wanted);
    }
  }
};

/** Asserts that the page, without what can be thrown away, keeps fewer bytes. */
export const keepsHeapBelow = async (page, bytes) => {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  assert.ok(usedSize < bytes, `${usedSize} bytes of heap`);
};
