// 4: a file of thousands of rows, one of 250 with a mistake, through the page: only rows in sight exist, and the heap stays small; then the list of the batch.
import assert from "node:assert/strict";
import { base, facts, isAccessible, picture, scenario, signIn } from "./harness.mjs";
import { equalsService, keepsHeapBelow } from "./list.mjs";

const HEAP = 100_000_000;
/** Each has a number with five digits, and passwords of a usual length. */
const length = facts.rows, wrong = length / 250, users = (length - wrong + 1).toLocaleString("en");
const rows = Array.from({ length }, (_, at) => {
  const person = `person${String(at).padStart(5, "0")}`, address = at % 250 === 7 ? `${person} contoso.edu` : `${person}@contoso.edu`;
  return `${address},${person},password-of-${person},${person},target-password-${person}`;
});
const file = ["EmailAddress,UserName,Password,TargetUserName,TargetPassword", ...rows].join("\r\n");

await scenario("large", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/new`);
  await page.locator("input[type=file]").setInputFiles({ name: "large.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
  await page.getByText(`${wrong} rows need you`).first().waitFor();
  await page.getByText("The service checks the rows").first().waitFor({ state: "detached" });
  const scroller = page.locator(".scroller:has(.sheet)");
  await page.getByLabel("Rows shown").selectOption("all");
  await scroller.evaluate((it) => (it.scrollTop = it.scrollHeight));
  await page.getByLabel(`UserName of row ${(length + 1).toLocaleString("en")}`, { exact: true }).waitFor();
  assert.equal(await page.getByLabel(`UserName of row ${(length + 1).toLocaleString("en")}`, { exact: true }).inputValue(), `person${String(length - 1).padStart(5, "0")}`);
  assert.ok((await page.locator(".sheet tbody tr").count()) < 80);
  await picture(page, "large");
  // One is corrected, the others are left out.
  await page.getByLabel("Rows shown").selectOption("wrong");
  await page.getByRole("button", { name: `Leave out ${wrong} rows` }).waitFor();
  await scroller.evaluate((it) => (it.scrollTop = 0));
  await page.getByLabel("EmailAddress of row 9", { exact: true }).fill("person00007@contoso.edu");
  await page.getByLabel("EmailAddress of row 9", { exact: true }).press("Tab");
  await page.getByText(`${wrong - 1} rows need you`).first().waitFor();
  await page.getByRole("button", { name: `Leave out ${wrong - 1} rows` }).click();
  await page.getByText(`${users} users are fine`).waitFor();
  await keepsHeapBelow(page, HEAP);
  await isAccessible(page);
  const next = page.locator(".below .button.first:not([aria-disabled])");
  await next.click();
  await page.getByLabel("Source", { exact: true }).selectOption("Old");
  await page.getByLabel("Target", { exact: true }).selectOption("New");
  await next.click();
  await page.getByRole("textbox", { name: "Name" }).fill("Large");
  await next.click();
  await next.click();
  await page.getByText("Only create it; start it later").click();
  await page.getByRole("button", { name: "Create the batch" }).click();
  await page.waitForURL(`${base}/console/batches/Large`, { timeout: 240_000 });
  await page.locator(".foot", { hasText: new RegExp(`^${users} users$`) }).waitFor();
  await equalsService(page, "Large", length - wrong + 1);
  await page.getByRole("searchbox").fill(`person${String(length - 1).padStart(5, "0").slice(0, 4)}`);
  await page.locator(".foot", { hasText: /^10 users$/ }).waitFor();
  await page.getByRole("searchbox").fill("");
  await page.locator(".foot", { hasText: new RegExp(`^${users} users$`) }).waitFor();
  await keepsHeapBelow(page, HEAP);
});
