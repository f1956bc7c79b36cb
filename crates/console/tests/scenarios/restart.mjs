// 6: kill -9 while 20 users move: the lamp, old numbers marked, buttons off; a restart: live, signed in, finished.
import assert from "node:assert/strict";
import { base, facts, isAccessible, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("restart", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Staff`);
  await page.getByRole("heading", { name: "Staff", exact: true }).waitFor();
  // Nothing passes, so that the users stay on their way.
  await world("hold");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("Staff was started").waitFor();
  await page.locator("h1 + .badge.active").waitFor();
  await page.locator(".rows .badge.active").first().waitFor();
  await picture(page, "batch-moving");
  await world("kill");
  await page.getByText(/The service is away since/).waitFor();
  await page.getByText(/These numbers are of/).waitFor();
  const stop = page.getByRole("button", { name: "Stop", exact: true });
  assert.equal(await stop.getAttribute("aria-disabled"), "true");
  assert.equal(await stop.getAttribute("title"), "The service is away");
  await picture(page, "batch-away");
  await isAccessible(page);
  await world("release");
  await world("start");
  await page.locator(".lamp.good").waitFor();
  await page.getByText(/These numbers are of/).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "20 Synced" }).waitFor();
  await page.locator("h1 + .badge", { hasText: "Synced" }).waitFor();
  await picture(page, "batch-synced");
});
