// Answers a JSON line {"id", "query"} with {"id", "errors", "columns"}: what Microsoft's analyser makes of it.
// Tables come from the file named by the first argument, {"Table": [["Column", "type"], ...]}, if any.
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
const fs = require("fs");
const readline = require("readline");
const Language = globalThis.Kusto.Language;
const Symbols = Language.Symbols;

function database(file) {
  const found = file ? JSON.parse(fs.readFileSync(file)) : {};
  const tables = Object.entries(found).map(([name, columns]) => {
    const listed = columns.map(([column, type]) => `['${column}']: ${type}`).join(", ");
    return Symbols.TableSymbol.From(`(${listed})`).WithName(name);
  });
  return new Symbols.DatabaseSymbol.$ctor3("workspace", null, System.Array.init(tables, Symbols.Symbol), false);
}

function items(list) {
  return Array.from({ length: list ? list.Count : 0 }, (_, i) => list.getItem(i));
}

const globals = Language.GlobalState.Default.WithDatabase(database(process.argv[2]));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, query } = JSON.parse(line);
  const code = Language.KustoCode.ParseAndAnalyze(query, globals);
  const errors = items(code.GetDiagnostics()).filter((d) => d.Severity === "Error");
  const columns = code.ResultType && code.ResultType.Columns;
  console.log(JSON.stringify({
    id,
    errors: errors.map((d) => d.Message),
    columns: columns ? items(columns).map((c) => [c.Name, c.Type.Name]) : null,
  }));
});
