/** Grafana's dashboards as the files have them, and what must hold of each: every rule returns its problems, as sentences. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { functionsDir } from "../../local/discover.ts";

export const folder = join(functionsDir, "../istio/components/observability/grafana/dashboards");

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: { refId: string; expr: string; exemplar?: boolean }[];
  [part: string]: unknown;
}

export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
  templating: { list: { name: string; type: string; query?: string | { query: string } }[] };
  annotations: { list: { expr: string }[] };
  [part: string]: unknown;
}

export function readDashboards(): Record<string, Dashboard> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return Object.fromEntries(
    files.map((file) => [file, JSON.parse(readFileSync(join(folder, file), "utf8"))]),
  );
}

/** The queries of a dashboard, with where each is from: its panels', its variables' and its annotations'. */
export function queriesOf({ title, panels, templating, annotations }: Dashboard) {
  const ofVariables = templating.list.flatMap(({ name, query }) => {
    const text = typeof query === "object" ? query.query : "";
    const selector = /^label_values\((.+), *\w+\)$/.exec(text)?.[1];
    return selector ? [{ from: `variable ${name}`, expr: selector }] : [];
  });
  return [
    ...panels.flatMap(({ title: panel, targets = [] }) =>
      targets.map(({ refId, expr }) => ({ from: `${panel} (${refId})`, expr })),
    ),
    ...ofVariables,
    ...annotations.list.map(({ expr }) => ({ from: "annotation", expr })),
  ].map(({ from, expr }) => ({ from: `${title}: ${from}`, expr }));
}

/** As Grafana sends it, with these values of the dashboard's variables. */
export function filledIn(expr: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(`$${name}`, value),
    expr,
  );
}

const text = { type: "string", minLength: 1 };
const datasource = {
  type: "object",
  required: ["type", "uid"],
  properties: { type: { const: "prometheus" }, uid: { const: "$" + "{datasource}" } },
};
const panel = {
  type: "object",
  required: ["id", "type", "title", "gridPos"],
  properties: {
    id: { type: "integer", minimum: 1 },
    title: text,
    gridPos: {
      type: "object",
      required: ["h", "w", "x", "y"],
      properties: {
        h: { type: "integer", minimum: 1 },
        w: { type: "integer", minimum: 1, maximum: 24 },
        x: { type: "integer", minimum: 0, maximum: 23 },
        y: { type: "integer", minimum: 0 },
      },
    },
  },
  if: { properties: { type: { const: "row" } } },
  else: {
    required: ["datasource", "description", "fieldConfig", "options", "targets"],
    properties: {
      type: { enum: ["timeseries", "stat", "table", "heatmap"] },
      description: text,
      datasource,
      fieldConfig: {
        type: "object",
        required: ["defaults", "overrides"],
        properties: {
          defaults: {
            type: "object",
            required: ["unit", "thresholds"],
            properties: {
              unit: { enum: ["bytes", "Bps", "none", "ops", "percentunit", "reqps", "s", "short"] },
              thresholds: {
                type: "object",
                required: ["mode", "steps"],
                properties: {
                  mode: { const: "absolute" },
                  steps: {
                    type: "array",
                    minItems: 1,
                    items: {
                      type: "object",
                      required: ["color", "value"],
                      properties: { color: text, value: { type: ["number", "null"] } },
                    },
                  },
                },
              },
            },
          },
        },
      },
      targets: {
        type: "array",
        minItems: 1,
        items: {
          type: "object",
          required: ["refId", "datasource", "expr"],
          properties: { refId: { type: "string", pattern: "^[A-Z]$" }, datasource, expr: text },
        },
      },
    },
  },
};

/** Of Grafana 12, as far as our dashboards go. */
const validate = new Ajv({ allErrors: true }).compile({
  type: "object",
  required: [
    "uid",
    "title",
    "description",
    "tags",
    "schemaVersion",
    "links",
    "panels",
    "templating",
    "time",
    "refresh",
  ],
  properties: {
    uid: { type: "string", pattern: "^greetings-[a-z-]+$", maxLength: 40 },
    title: { type: "string", pattern: "^Greetings: " },
    description: text,
    tags: { type: "array", contains: { const: "greetings" } },
    schemaVersion: { type: "integer", minimum: 41 },
    refresh: text,
    links: { type: "array", minItems: 3 },
    panels: { type: "array", minItems: 1, items: panel },
  },
});

export function dashboardProblems(dashboards: Readonly<Record<string, Dashboard>>): string[] {
  const all = Object.values(dashboards);
  return Object.entries(dashboards).flatMap(([file, dashboard]) => {
    if (!validate(dashboard)) {
      return (validate.errors ?? []).map(
        ({ instancePath, message }) => `${file}: ${instancePath || "/"} ${message}`,
      );
    }
    const problems = [...panelProblems(dashboard), ...variableProblems(dashboard)];
    if (all.filter(({ uid }) => uid === dashboard.uid).length > 1)
      problems.push("its uid is not its own");
    const uids = all.map(({ uid }) => uid);
    for (const [, uid = ""] of JSON.stringify(dashboard).matchAll(/"\/d\/([a-z-]+)/g)) {
      if (!uids.includes(uid)) problems.push(`it links to ${uid}, which is no dashboard`);
    }
    return problems.map((problem) => `${file}: ${problem}`);
  });
}

function panelProblems({ panels }: Dashboard): string[] {
  const problems: string[] = [];
  if (new Set(panels.map(({ id }) => id)).size < panels.length) problems.push("panels share an id");
  for (const { title, type, gridPos, targets = [] } of panels) {
    if (gridPos.x + gridPos.w > 24) problems.push(`${title}: is wider than the page`);
    if (new Set(targets.map(({ refId }) => refId)).size < targets.length)
      problems.push(`${title}: targets share a refId`);
    const legends = targets.filter((target) => "legendFormat" in target && target.legendFormat);
    if (type === "timeseries" && legends.length < targets.length)
      problems.push(`${title}: a series has no legend`);
  }
  const overlap = panels.find((one, index) =>
    panels.slice(index + 1).some((other) => meet(one, other)),
  );
  if (overlap) problems.push(`${overlap.title}: lies over another panel`);
  return problems;
}

function meet({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  const apart = (at: "x" | "y", size: "w" | "h") =>
    one[at] + one[size] <= other[at] || other[at] + other[size] <= one[at];
  return !apart("x", "w") && !apart("y", "h");
}

/** Grafana leaves what it does not know as it is, and Prometheus then finds nothing. */
function variableProblems(dashboard: Dashboard): string[] {
  const known = dashboard.templating.list.map(({ name }) => name);
  const used = queriesOf(dashboard).flatMap(({ from, expr }) =>
    [...expr.matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => ({ from, name })),
  );
  return used
    .filter(({ name }) => !known.includes(name) && name !== "__rate_interval")
    .map(({ from, name }) => `${from}: there is no variable ${name}`);
}
