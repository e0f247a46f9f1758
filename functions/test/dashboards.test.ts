import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Dashboard, dashboardProblems, readDashboards } from "./support/dashboards.ts";
import { set } from "./support/manifests.ts";

const dashboards = readDashboards();

describe("the dashboards", () => {
  test("are what Grafana takes, and lead to each other", () => {
    assert.deepEqual(Object.keys(dashboards).sort(), [
      "cold-starts.json",
      "function.json",
      "queue.json",
      "system.json",
    ]);
    assert.deepEqual(dashboardProblems(dashboards), []);
  });

  const mistakes: readonly [string, path: string, value: unknown, found: RegExp][] = [
    ["an unknown unit", "panels.0.fieldConfig.defaults.unit", "furlongs", /unit must be equal/],
    ["a panel without a title", "panels.1.title", undefined, /must have required property 'title'/],
    ["a panel without a data source", "panels.0.datasource", undefined, /property 'datasource'/],
    ["a data source of one installation", "panels.0.datasource.uid", "abc", /uid must be equal/],
    ["a panel without a query", "panels.0.targets", [], /targets must NOT have fewer/],
    ["thresholds that are none", "panels.0.fieldConfig.defaults.thresholds", {}, /thresholds must/],
    ["two panels of one id", "panels.1.id", 1, /panels share an id/],
    ["a panel over another", "panels.1.gridPos.x", 0, /lies over another panel/],
    ["another's uid", "uid", "greetings-queue", /its uid is not its own/],
    ["a series without a legend", "panels.7.targets.0.legendFormat", "", /has no legend/],
    [
      "a link to nowhere",
      "panels.4.fieldConfig.defaults.links.0.url",
      "/d/greetings-nowhere",
      /links to greetings-nowhere/,
    ],
    ["a misspelt variable", "panels.0.targets.0.expr", "up{namespace='$namspace'}", /no variable/],
  ];
  for (const [what, path, value, found] of mistakes) {
    test(`a mistake is found: ${what}`, () => {
      const wrong = structuredClone(dashboards);
      set(wrong["system.json"] as Dashboard, path, value);
      assert.match(dashboardProblems(wrong).join("\n"), found);
    });
  }
});
