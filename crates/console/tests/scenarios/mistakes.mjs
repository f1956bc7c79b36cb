// 3: a file of 1,000 rows with each mistake: all are told, fixed in their place, and the batch is made.
import assert from "node:assert/strict";
import { base, facts, isAccessible, picture, scenario, signIn } from "./harness.mjs";

const SECRET = "hunter2-";
/** Rows by their number in the file. */
const rows = Array.from({ length: 1_000 }, (_, at) => `person${at}@contoso.edu,person${at},${SECRET}${at},person${at},x${at}`);
const wrong = {
  14: "maria@contoso.edu,maria,,maria,x", 37: `jonas klein@contoso.edu,jonas,${SECRET},jonas,x`, 58: `mailto:eva@contoso.edu,eva,${SECRET},eva,x`, 77: `Omar <omar@contoso.edu>,omar,${SECRET},omar,x`,
  90: `#ann@contoso.edu,ann,${SECRET},ann,x`, 101: `leo,leo,${SECRET},leo,x`, 150: `'lee@contoso.edu',lee,${SECRET},lee,x`, 212: `lena@contoso.edu,lena,${SECRET}a,${SECRET}b,lena,x,${SECRET}`, 260: `kim@contoso.edu,kim,${SECRET}`,
  300: `wei@contoso.edu,wei,"${SECRET},wei,x`, 333: `sam@contoso.edu,sam,"${SECRET}"x,sam,x`, 360: `tom@contoso.edu,tom, "${SECRET}",tom,x`, 400: `#N/A,ulf,${SECRET},ulf,x`, 444: `ute@contoso.edu,"ute",${SECRET},ute,`,
  500: `a@contoso.edu;b@contoso.edu,ab,${SECRET},ab,x`, 555: `"line\nbreak@contoso.edu",line,${SECRET},line,x`,
};
for (const [number, row] of Object.entries(wrong)) rows[Number(number) - 2] = row;
const file = ["EmailAddress,UserName,Password,TargetUserName,TargetPassword,Department", ...rows.map((it) => (it.endsWith(SECRET) ? it : `${it},`))].join("\n");

await scenario("mistakes", async ({ page }) => {
  await signIn(page, facts.token);
  const seen = [];
  page.on("request", (it) => seen.push(it.url()));
  page.on("response", async (it) => {
    if (it.url().includes("/batches/test")) seen.push(await it.text().catch(() => ""));
  });
  await page.goto(`${base}/console/batches/new`);
  await page.locator("input[type=file]").setInputFiles({ name: "all.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
  await page.getByRole("button", { name: "Leave the column out" }).click();
  await page.getByText("rows need you").first().waitFor();
  await page.getByText("Checked for the source Old.").waitFor();
  await page.getByText("The service checks the rows").first().waitFor({ state: "detached" });
  const shown = page.locator(".rows.sheet tbody tr[aria-rowindex]");
  const told = await page.getByText(/^\d+ rows need you$/).first().textContent();
  assert.equal(Number(/\d+/.exec(told)[0]), Object.keys(wrong).length, told);
  assert.equal(await shown.count(), Object.keys(wrong).length);
  const numbers = await page.locator(".rows.sheet tbody td.state").allTextContents();
  assert.deepEqual(numbers.map(Number), Object.keys(wrong).map(Number));
  await picture(page, "mistakes");
  await isAccessible(page);
  // One is fixed by hand, one is left out, the others by their proposals.
  const password = page.getByLabel("Password of row 14", { exact: true });
  await password.fill(`${SECRET}new`);
  await password.press("Tab");
  await page.getByText("Fixed").first().waitFor();
  await page.getByRole("button", { name: "Take all proposals" }).click();
  // Rows whose cells are complete now lack a password for the target.
  await page.getByText("2 rows need you").first().waitFor();
  await page.getByRole("button", { name: "Take all proposals" }).click();
  await page.locator(".below .button.first:not([aria-disabled])").waitFor();
  // What was said about a row that is fixed stays in its place.
  assert.equal(await page.getByLabel("EmailAddress of row 37", { exact: true }).inputValue(), "jonasklein@contoso.edu");
  assert.equal(await page.getByLabel("EmailAddress of row 58", { exact: true }).inputValue(), "eva@contoso.edu");
  await picture(page, "mistakes-fixed");
  for (let step = 0; step < 2; step++) await page.locator(".below .button.first:not([aria-disabled])").click();
  await page.getByRole("textbox", { name: "Name" }).fill("Pilot");
  // Leaving asks; staying keeps everything.
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("Leave without a batch?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.goBack();
  await page.getByLabel("Source", { exact: true }).waitFor();
  await page.goForward();
  assert.equal(await page.getByRole("textbox", { name: "Name" }).inputValue(), "Pilot");
  await page.locator(".below .button.first:not([aria-disabled])").click();
  await page.locator(".below .button.first:not([aria-disabled])").click();
  await page.getByText("Only create it; start it later").click();
  // The name is taken: the refusal stands at its field.
  await page.getByRole("button", { name: "Create the batch" }).click();
  await page.locator("[name=Name][aria-invalid=true]").waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("Mistakes");
  await page.locator(".below .button.first:not([aria-disabled])").click();
  await page.locator(".below .button.first:not([aria-disabled])").click();
  await page.getByRole("button", { name: "Create the batch" }).click();
  await page.waitForURL(`${base}/console/batches/Mistakes`);
  await page.locator(".rows tbody a").first().waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.documentElement.outerHTML]));
  assert.ok(!kept.includes(SECRET) && !seen.some((it) => it.includes(SECRET)));
});
