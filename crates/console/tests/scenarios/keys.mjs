// Section 9: lists by keys alone, everything by its name, and no key in a field.
import assert from "node:assert/strict";
import { base, facts, isAccessible, keepsPolicy, picture, scenario, signIn } from "./harness.mjs";

await scenario("keys", async ({ page }) => {
  await signIn(page, facts.token);
  const keys = async (...list) => {
    for (const it of list) await page.keyboard.press(it);
  };
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await keys("g", "b");
  await page.getByRole("heading", { name: "Batches" }).waitFor();
  await page.getByRole("link", { name: "Staff" }).waitFor();
  await keys("j");
  assert.equal(await focused(), "Staff");
  await keys("Enter");
  await page.getByRole("heading", { name: "Staff", exact: true }).waitFor();
  await page.getByRole("link", { name: "user3@contoso.edu" }).waitFor();
  await keys("j", "j", "k", "j");
  assert.equal(await focused(), "user2@contoso.edu");
  await keys("x");
  await page.getByText("1 selected").waitFor();
  assert.equal(await page.getByLabel("Select user2@contoso.edu").isChecked(), true);
  await keys("j", "j", "j", "j");
  assert.equal(await focused(), "user3@contoso.edu");
  await keys("Enter");
  await page.locator(".drawer").getByRole("heading", { name: "user3@contoso.edu" }).waitFor();
  await keys("Escape");
  await page.locator(".drawer").waitFor({ state: "detached" });
  assert.equal(await focused(), "user3@contoso.edu");
  // In a field, keys are letters.
  await keys("/");
  await page.keyboard.type("xjgb?");
  assert.equal(await page.getByRole("searchbox").inputValue(), "xjgb?");
  assert.equal(new URL(page.url()).pathname, "/console/batches/Staff");
  await page.getByText("No user matches.").waitFor();
  await page.getByRole("searchbox").fill("");
  await page.getByRole("link", { name: "user1@contoso.edu" }).waitFor();
  await page.getByRole("heading", { name: "Staff", exact: true }).focus();
  await keys("?");
  await page.locator("dialog").getByRole("heading", { name: "Keys" }).waitFor();
  await picture(page, "keys");
  await isAccessible(page);
  await keys("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });

  // Everything by its name: actions by Exchange's, users, endpoints.
  await keys("Control+k");
  await page.getByRole("option", { name: "Batches" }).waitFor();
  await page.keyboard.type("folderplan staff");
  await page.getByRole("option", { name: "Folders: Staff" }).waitFor();
  await picture(page, "finder");
  await isAccessible(page);
  await page.locator("dialog").getByRole("combobox").fill("staff");
  await keys("ArrowDown", "ArrowDown", "ArrowUp");
  assert.equal(await page.locator("[role=option]").nth(1).getAttribute("aria-selected"), "true");
  await page.locator("dialog").getByRole("combobox").fill("user2");
  await page.getByRole("option", { name: "user2@contoso.edu" }).waitFor();
  await keys("Enter");
  await page.locator(".drawer").getByRole("heading", { name: "user2@contoso.edu" }).waitFor();
  await keys("Escape");
  await keys("g", "u");
  await page.getByRole("heading", { name: "Users", exact: true }).waitFor();

  // Switched off, single keys do nothing; Ctrl K still does.
  await page.goto(`${base}/console/settings`);
  await page.getByLabel("Single keys").uncheck();
  await page.getByRole("heading", { name: "Settings" }).focus();
  await keys("g", "b", "?");
  assert.equal(await page.locator("dialog").count(), 0);
  assert.equal(new URL(page.url()).pathname, "/console/settings");
  await keys("Control+k");
  await page.locator("dialog").getByRole("combobox").fill("nothing like this");
  await page.getByText("Nothing has this name.").waitFor();
  await keys("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await keepsPolicy(page);
});
