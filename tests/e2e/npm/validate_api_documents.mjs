// validate_api_documents.mjs ASYNCAPI OPENAPI: whether the two documents are what they say they are. Of the second all
// references are within it. Prints what is wrong; exit status 1 if anything is.
import { fromFile, Parser } from "@asyncapi/parser";
import { Validator } from "@seriousme/openapi-schema-validator";

const WARNING = 1;
const [asyncapiPath, openapiPath] = process.argv.slice(2);
const faults = [];

const { document, diagnostics } = await fromFile(new Parser(), asyncapiPath).parse();
for (const found of diagnostics) {
  const place = `${found.source}:${found.range.start.line + 1}`;
  if (found.severity <= WARNING) faults.push(`${place}: ${found.message} (${found.path.join("/")})`);
}
if (document === undefined && faults.length === 0) faults.push(`${asyncapiPath} was not understood`);

const openapi = await new Validator().validate(openapiPath);
if (!openapi.valid) faults.push(`${openapiPath}: ${JSON.stringify(openapi.errors, null, 1)}`);

for (const fault of faults) console.log(fault);
const operations = document?.allOperations().length ?? 0;
console.log(`${operations} operations, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
