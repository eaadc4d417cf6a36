// build.mjs --root DIR --generated DIR --out FILE.cpp
//
// Checks the web client's types, bundles it, and writes it as a C++ source of WebAssets. --generated
// has what flatc made of the schemas.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import ts from "typescript";

const { values } = parseArgs({
  options: { root: { type: "string" }, generated: { type: "string" }, out: { type: "string" } },
});
const root = resolve(values.root);
const generated = resolve(values.generated);
const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const entry = join(root, "games/ringside/web");

checkTypes();
const bundles = await bundle();
writeFileSync(values.out, cppOf(assetsOf(bundles)));

function checkTypes() {
  const { config } = ts.readConfigFile(join(here, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, here);
  options.paths = {
    "@wire/*": [join(generated, "ringside/wire/*")],
    "@recording/*": [join(generated, "ringside/recording/*")],
    "@tron/*": [join(generated, "ringside/tron/schema/*")],
    "@net/*": [join(here, "src/*")],
    "@games/*": [join(root, "games/*")],
    flatbuffers: [join(modules, "flatbuffers")],
  };
  const program = ts.createProgram([join(entry, "main.ts")], options);
  // What flatc writes is not ours to judge.
  const problems = ts.getPreEmitDiagnostics(program)
    .filter((problem) => !problem.file?.fileName.startsWith(generated));
  if (problems.length > 0) {
    process.stderr.write(ts.formatDiagnostics(problems, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => root,
      getNewLine: () => "\n",
    }));
    process.exit(1);
  }
}

async function bundle() {
  const result = await esbuild.build({
    entryPoints: [join(entry, "main.ts"), join(entry, "main.css")],
    outdir: "/a",
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    legalComments: "none",
    write: false,
    nodePaths: [modules],
    alias: {
      "@wire": join(generated, "ringside/wire"),
      "@recording": join(generated, "ringside/recording"),
      "@tron": join(generated, "ringside/tron/schema"),
      "@net": join(here, "src"),
      "@games": join(root, "games"),
    },
  });
  return result.outputFiles;
}

function assetsOf(files) {
  const assets = files.map((file) => ({
    path: file.path,
    type: file.path.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8",
    immutable: true,
    content: Buffer.from(file.contents),
  }));
  const pathOf = (ending) => assets.find((asset) => asset.path.endsWith(ending)).path;
  const page = readFileSync(join(here, "src/page.html"), "utf8")
    .replace("{{style}}", pathOf(".css"))
    .replace("{{script}}", pathOf(".js"));
  return [{ path: "/", type: "text/html; charset=utf-8", immutable: false,
            content: Buffer.from(page) }, ...assets];
}

function cppOf(assets) {
  const bytes = (buffer) => Array.from(buffer).join(",");
  const arrays = [];
  const rows = [];
  assets.forEach((asset, index) => {
    const gzip = gzipSync(asset.content, { level: 9 });
    const tag = createHash("sha256").update(asset.content).digest("hex").slice(0, 16);
    arrays.push(`constexpr unsigned char content_${index}[] = {${bytes(asset.content)}};`,
                `constexpr unsigned char gzip_${index}[] = {${bytes(gzip)}};`);
    rows.push(`    {.path = "${asset.path}", .content_type = "${asset.type}",\n` +
              `     .entity_tag = "\\"${tag}\\"", .immutable = ${asset.immutable},\n` +
              `     .content = std::as_bytes(std::span(content_${index})),\n` +
              `     .gzip = std::as_bytes(std::span(gzip_${index}))},`);
  });
  return `// Written by net/web/build.mjs.\n#include "web_assets.hpp"\n\nnamespace ringside {\n` +
         `namespace {\n\n${arrays.join("\n")}\n\n}  // namespace\n\n` +
         `WebAssets web_assets() noexcept {\n  static const WebAsset assets[] = {\n` +
         `${rows.join("\n")}\n  };\n  return assets;\n}\n\n}  // namespace ringside\n`;
}
