// Writes what `tsc` needs to check web/: the schemas of docs/openapi.json as types, and the files of npm under the names that
// pages import. node types.mjs OPENAPI WEB (a copy of web/, below the packages)
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const [openapi, web] = process.argv.slice(2);
const { components } = JSON.parse(readFileSync(openapi, "utf8"));

const type = (schema) => {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if ("const" in schema) return JSON.stringify(schema.const);
  const several = schema.oneOf ?? schema.anyOf;
  if (several) return several.map(type).join(" | ");
  if (schema.enum) return schema.enum.map((it) => JSON.stringify(it)).join(" | ");
  return [schema.type ?? []].flat().map((name) => simple(name, schema)).join(" | ") || "unknown";
};
const simple = (name, schema) => {
  if (name === "integer" || name === "number") return "number";
  if (name === "array") return `(${type(schema.items ?? {})})[]`;
  if (name === "object") return schema.properties ? body(schema) : `Record<string, ${type(schema.additionalProperties || {})}>`;
  return name;
};
const body = ({ properties }) => `{ ${Object.entries(properties).map(([name, it]) => `${JSON.stringify(name)}: ${type(it)};`).join(" ")} }`;

const lines = Object.entries(components.schemas).map(([name, schema]) => `export type ${name} = ${type(schema)};`);
writeFileSync(`${web}/api/types.d.ts`, `${lines.join("\n")}\n`);

mkdirSync(`${web}/vendor`, { recursive: true });
const vendor = { preact: "preact", hooks: "preact/hooks", signals: "@preact/signals", "signals-core": "@preact/signals-core" };
for (const [name, from] of Object.entries(vendor)) writeFileSync(`${web}/vendor/${name}.d.ts`, `export * from ${JSON.stringify(from)};\n`);
writeFileSync(`${web}/tsconfig.json`, JSON.stringify({
  compilerOptions: {
    allowJs: true, checkJs: true, noEmit: true, strict: true, noUncheckedIndexedAccess: true, target: "es2023", module: "esnext",
    moduleResolution: "bundler", lib: ["es2023", "dom", "dom.iterable"], types: [], skipLibCheck: true,
  },
  include: ["**/*.js", "**/*.d.ts"],
}));
