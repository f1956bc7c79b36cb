// 4, with 1,500 users: scroll to the end, sort by each column, search; the rows equal the service's.
import assert from "node:assert/strict";
import { base, facts, isAccessible, keepsPolicy, picture, scenario, signIn } from "./harness.mjs";
import { equalsService } from "./list.mjs";

await scenario("rows", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Large`);
  await page.locator(".foot", { hasText: /^1,500 users$/ }).waitFor();
  await equalsService(page, "Large", 1_500);
  await picture(page, "rows");
  await page.getByRole("searchbox").fill("person77");
  await page.locator(".foot", { hasText: /^11 users$/ }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("search"), "person77");
  await isAccessible(page);
  await keepsPolicy(page);
  await page.getByRole("searchbox").fill("nothing like this");
  await page.getByText("No user matches.").waitFor();
});
