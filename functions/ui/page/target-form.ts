import type { Graph } from "#host";
import { isOwnNode, type LiveGraph, triggeredKinds } from "../live.ts";
import { type GatewayRequest, graphOfGateway } from "./ask.ts";
import { element, find } from "./dom.ts";
import { type Offer, offersOf, wholeGraph } from "./offers.ts";

export interface TargetForm {
  /** Asks the gateway for its routes again when a function has come or gone, until it answers. */
  update(graph: LiveGraph): void;
  /** What the person has chosen and edited. */
  request(): GatewayRequest;
}

/** How long the gateway is left alone after it was asked for its routes. */
const askEveryMs = 3_000;

/** To whom the next requests go: the whole graph, or a route of one function, with its path and its body. */
export function createTargetForm(gateway: string): TargetForm {
  const select = find("target", HTMLSelectElement);
  const pathField = find("target-path-field", HTMLElement);
  const path = find("target-path", HTMLInputElement);
  const bodyField = find("target-body-field", HTMLElement);
  const body = find("target-body", HTMLTextAreaElement);
  let offers = new Map<string, Offer>();
  let shown = "";
  let wanted = "";
  let known: string | undefined;
  let asked = Number.NEGATIVE_INFINITY;

  const chosen = () => offers.get(select.value) ?? wholeGraph;
  const show = () => {
    const offer = chosen();
    pathField.hidden = !offer.path.includes("{");
    path.value = offer.path;
    bodyField.hidden = offer.body === undefined;
    body.value = offer.body ?? "";
  };
  const offerRoutes = (graph: Pick<Graph, "nodes">) => {
    const key = JSON.stringify(graph.nodes);
    if (key === shown) return;
    shown = key;
    const kept = select.value;
    const groups = offersOf(graph);
    offers = new Map(groups.flatMap((group) => group.offers.map((offer) => [offer.label, offer])));
    const [whole] = select.options;
    select.replaceChildren(
      ...(whole ? [whole] : []),
      ...groups.map(({ name, offers }) => {
        const options = offers.map(({ label }) => element("option", { value: label }, label));
        return element("optgroup", { label: name }, ...options);
      }),
    );
    if (offers.has(kept)) select.value = kept;
    else if (kept !== "") show();
  };
  const ask = async () => {
    asked = performance.now();
    const names = wanted;
    const graph = await graphOfGateway(gateway);
    if (!graph) return;
    known = names;
    offerRoutes(graph);
  };
  select.addEventListener("change", show);
  select.disabled = false;

  return {
    update({ nodes }) {
      const functions = nodes.filter(
        (node) => triggeredKinds.includes(node.kind) && isOwnNode(node),
      );
      wanted = functions.map(({ name }) => name).join();
      if (wanted !== known && performance.now() - asked >= askEveryMs) void ask();
    },
    request() {
      const { method, contentType, ...offer } = chosen();
      return {
        method,
        path: offer.path.includes("{") ? path.value : offer.path,
        ...(contentType !== undefined && { contentType, body: body.value }),
      };
    },
  };
}
