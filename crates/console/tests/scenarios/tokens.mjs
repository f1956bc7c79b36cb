// Tokens and settings of the service: made with a role, shown once, revoked; limits saved.
import assert from "node:assert/strict";
import { base, closeDialog, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("tokens", async ({ page, open }) => {
  await signIn(page, facts.token);
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.getByRole("heading", { name: "Tokens" }).waitFor();
  const make = page.locator("section", { hasText: "New token" });
  // A name that is taken is refused at its field.
  await make.getByLabel("Name").fill("ada");
  await make.getByRole("button", { name: "Make token" }).click();
  await make.getByText(/ada/).first().waitFor();
  await make.getByLabel("Name").fill("vera");
  await make.getByLabel("Role").selectOption("Viewer");
  await make.getByText("Reads everything but tokens and the audit log.").waitFor();
  await make.getByRole("button", { name: "Show command" }).click();
  await page.getByText("New-MigrationApiToken -Name 'vera' -Role 'Viewer'").waitFor();
  await closeDialog(page);
  await make.getByRole("button", { name: "Make token" }).click();
  await page.getByText("This is the token of vera. It is shown only now").waitFor();
  const token = await page.locator(".made code").textContent();
  assert.match(token, /^mh_/);
  await picture(page, "token-made");
  await isAccessible(page);
  // It opens the console, with its role.
  const other = await open();
  await signIn(other, token);
  await other.getByText("vera · Viewer").waitFor();
  assert.equal(await other.getByRole("link", { name: "Tokens" }).count(), 0);
  await other.goto(`${base}/console/settings`);
  await other.getByLabel("Most batches").waitFor();
  assert.equal(await other.getByLabel("Most batches").isDisabled(), true);
  await picture(other, "settings-viewer");
  // It leaves the page when the page is left, and is in no storage and no address.
  await page.getByRole("link", { name: "Batches" }).click();
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.getByRole("cell", { name: "vera" }).waitFor();
  const kept = await page.evaluate(() => JSON.stringify([document.body.innerHTML, { ...localStorage }, { ...sessionStorage }, location.href]));
  assert.ok(!kept.includes(token));
  await page.getByRole("row", { name: "vera" }).getByRole("button", { name: "Revoke" }).click();
  await page.locator("dialog").getByText("signed out at once").waitFor();
  await isAccessible(page);
  await page.locator("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("The token of vera was revoked").waitFor();
  await other.getByText("The session has ended.").waitFor();
  await keepsPolicy(page);

  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Most batches").fill("none");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/MaxNumberOfBatches/).first().waitFor();
  await page.getByLabel("Most batches").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The settings are saved").waitFor();
  const [config] = await world("results", "Get-MigrationConfig");
  assert.equal(config.MaxNumberOfBatches, 7);
  await page.getByText(`${base}/metrics`).waitFor();
  await picture(page, "settings-service");
});
