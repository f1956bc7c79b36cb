// Endpoints: made with a test, pinned to a certificate that is not trusted, changed, refused at the field, removed with its name.
import assert from "node:assert/strict";
import { base, closeDialog, facts, isAccessible, picture, scenario, signIn } from "./harness.mjs";

await scenario("endpoints", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByRole("link", { name: "Endpoints" }).click();
  await page.getByText("There is no endpoint yet").waitFor();
  await page.getByRole("link", { name: "New endpoint" }).click();
  await page.getByRole("textbox", { name: /^Name/ }).fill("Plain");
  await page.getByRole("textbox", { name: /RemoteServer/ }).fill("127.0.0.1");
  await page.getByRole("textbox", { name: /^Port/ }).fill("99999");
  await page.getByLabel(/Security/).selectOption("None");
  await page.getByText("anyone on the network path can read them").waitFor();
  // The command of the form, and a refusal at its field.
  await page.getByRole("button", { name: "Show command" }).click();
  await page.getByText("New-MigrationEndpoint -Name 'Plain' -IMAP -RemoteServer '127.0.0.1'").first().waitFor();
  await closeDialog(page);
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await page.locator("[name=Port][aria-invalid=true], .panel.needs.bad[role=alert]").first().waitFor();
  await page.getByRole("textbox", { name: /^Port/ }).fill(String(facts.port));
  await page.getByLabel("User name for the test").fill("user1");
  await page.getByLabel("Password for the test").fill("wrong");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.locator(".notice.bad", { hasText: /./ }).last().waitFor();
  await page.locator(".test-steps .bad").first().waitFor();
  await picture(page, "endpoint-refused");
  await isAccessible(page);
  await page.getByLabel("Password for the test").fill(facts.password);
  await page.getByRole("button", { name: "Test again" }).click();
  await page.locator(".notice.good").waitFor();
  await picture(page, "endpoint-tested");
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await page.getByText("The endpoint Plain was created").waitFor();
  await page.getByText("No batch uses this endpoint.").waitFor();
  // A server whose certificate is for another host: the test offers its pin.
  await page.goto(`${base}/console/endpoints/new`);
  await page.getByRole("textbox", { name: /^Name/ }).fill("Pinned");
  await page.getByRole("textbox", { name: /RemoteServer/ }).fill("127.0.0.1");
  await page.getByRole("textbox", { name: /^Port/ }).fill(String(facts.securePort));
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.locator("#distrusted").waitFor();
  await picture(page, "endpoint-pin");
  await page.getByRole("button", { name: "Trust only this certificate" }).click();
  await page.locator(".notice.good").waitFor();
  await page.getByText("Limits", { exact: true }).click();
  await page.getByRole("textbox", { name: /BytesPerDay/ }).first().fill("400 MB");
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await page.getByText("The endpoint Pinned was created").waitFor();
  // It is changed: only what was changed is sent.
  await page.locator("form").getByText("Limits", { exact: true }).click();
  await page.getByRole("textbox", { name: /BytesPerDay/ }).first().fill("500 MB");
  await page.getByRole("textbox", { name: /MaxConcurrentMigrations/ }).fill("7");
  await page.getByRole("textbox", { name: /MaxConcurrentIncrementalSyncs/ }).fill("5");
  const sent = page.waitForRequest((it) => it.method() === "PATCH");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  assert.deepEqual((await sent).postDataJSON(), { MaxConcurrentMigrations: 7, MaxConcurrentIncrementalSyncs: 5, BytesPerDay: 500_000_000 });
  await page.getByText("The endpoint Pinned was saved").waitFor();
  // Removal asks for the name.
  await page.goto(`${base}/console/endpoints/Plain`);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  const dialog = page.locator("dialog");
  await dialog.getByRole("textbox").fill("Plane");
  assert.equal(await dialog.getByRole("button", { name: "Remove" }).getAttribute("aria-disabled"), "true");
  await isAccessible(page);
  await dialog.getByRole("textbox").fill("Plain");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("The endpoint Plain was removed").waitFor();
  await page.getByRole("link", { name: "Pinned" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Plain" }).count(), 0);
});
