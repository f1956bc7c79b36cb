// 15: texts of servers that look like markup, turn text, or are too long: shown as text, cut, without a violation.
import assert from "node:assert/strict";
import { base, facts, picture, scenario, signIn } from "./harness.mjs";

await scenario("hostile", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByRole("link", { name: "<i>Bad</i>" }).click();
  await page.getByRole("heading", { name: "<i>Bad</i>" }).waitFor();
  await page.getByRole("link", { name: "user2@contoso.edu" }).click();
  const words = page.locator(".drawer .quote").first();
  await words.filter({ hasText: "<img src=x onerror=" }).waitFor();
  const text = await words.textContent();
  assert.ok(!/[\u202a-\u202e]/.test(text ?? ""), text ?? "");
  assert.ok((text ?? "").length <= 2001);
  await picture(page, "hostile");
  await page.goto(`${base}/console/batches/Staff`);
  await page.getByRole("link", { name: "user1@contoso.edu" }).click();
  await page.getByRole("cell", { name: "<img src=x onerror=alert(1)>" }).waitFor();
  assert.equal(await page.locator("img").count(), 0);
  assert.match(await page.title(), /mailhaul$/);
});
