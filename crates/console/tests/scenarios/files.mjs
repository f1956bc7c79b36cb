// 17: every file comes from the service, is kept forever where its address has the digest, and the first page is small.
import assert from "node:assert/strict";
import { base, facts, scenario, signIn } from "./harness.mjs";

await scenario("files", async ({ page }) => {
  const files = [];
  page.on("response", (it) => it.url().includes("/console/") && files.push(it));
  await signIn(page, facts.token);
  await page.getByRole("heading", { name: "All batches" }).waitFor();
  const sizes = async (list) => (await Promise.all(list.map((it) => it.allHeaders()))).reduce((sum, it) => sum + Number(it["content-length"]), 0);
  const first = await sizes(files);
  assert.ok(first < 60 * 1024, `${first} bytes of the first page`);
  await page.getByRole("link", { name: "Staff" }).first().click();
  await page.getByRole("link", { name: "user1@contoso.edu" }).click();
  await page.getByRole("heading", { name: "user1@contoso.edu" }).waitFor();
  let octets = 0;
  for (const file of files) {
    assert.equal(file.status(), 200, file.url());
    const headers = await file.allHeaders();
    const isNamed = file.url().includes("/console/files-");
    assert.equal(headers["cache-control"], isNamed ? "public, max-age=31536000, immutable" : "no-cache", file.url());
    assert.equal(headers["content-encoding"], "gzip", file.url());
    assert.match(headers["content-security-policy"], /require-trusted-types-for 'script'/, file.url());
    octets += Number(headers["content-length"]);
  }
  assert.ok(files.length > 15 && octets < 150_000, `${files.length} files, ${octets} bytes`);
  // A file of another release is not answered with the page.
  const other = await page.context().request.get(`${base}/console/files-0000000000000000/app.js`);
  assert.equal(other.status(), 404);
  // A program at the root gets what it got before.
  const root = await page.context().request.get(`${base}/`, { headers: { Accept: "application/json" } });
  assert.equal(root.status(), 401);
});
