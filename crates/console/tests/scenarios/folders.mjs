// 10: two folders that want one target are seen, the map is edited, previewed and saved, and copied as planned.
import assert from "node:assert/strict";
import { base, closeDialog, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("folders", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Staff`);
  const heading = page.getByRole("heading", { name: "Folders and their targets" });
  await page.locator(".tabs").getByRole("link", { name: "Folders" }).click();
  await heading.waitFor();
  const target = (folder) => page.getByLabel(`Target of ${folder}`, { exact: true });
  await target("Projects").waitFor();
  assert.equal(await target("Old projects").inputValue(), "Old projects");
  const save = page.getByRole("button", { name: "Save" }), preview = page.getByRole("button", { name: "Preview" });
  assert.equal(await save.getAttribute("aria-disabled"), "true");
  // Two folders that would meet in one target.
  await target("Old projects").fill("Projects");
  await page.getByText("Not previewed yet.").waitFor();
  await preview.click();
  const clash = page.getByText('the place "Projects" is taken by "Old projects"');
  await clash.waitFor();
  assert.equal(await target("Projects").inputValue(), "Projects (2)");
  await picture(page, "folders-clash");
  await isAccessible(page);
  assert.deepEqual((await world("results", "Get-MigrationBatch", "Staff"))[0].FolderMap, {});
  await target("Old projects").fill("Archive/Old");
  await target("Drafts of 2009").fill("-");
  await preview.click();
  await clash.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Show command" }).last().click();
  await page.getByText("-FolderMap @{").waitFor();
  await isAccessible(page);
  await closeDialog(page);
  await save.click();
  await page.getByText("The folder map of Staff is saved").waitFor();
  assert.deepEqual((await world("results", "Get-MigrationBatch", "Staff"))[0].FolderMap, { "Drafts of 2009": "-", "Old projects": "Archive/Old" });
  await page.locator("main > .head").getByRole("button", { name: "Start", exact: true }).click();
  await page.locator("h1 + .badge", { hasText: "Synced" }).waitFor();
  await page.getByText("Folders that were copied already keep their target.").waitFor();
  await picture(page, "folders-saved");
  await keepsPolicy(page);
});
