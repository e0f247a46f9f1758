import { isOwnNode, type LiveGraph, triggeredKinds } from "../live.ts";
import { button, element, find, setText } from "./dom.ts";
import { describeFault, faultHeader, type RequestedFault } from "./fault-header.ts";

export interface FaultsForm {
  /** Offers the graph's functions as targets. */
  update(graph: LiveGraph): void;
  /** Headers for the next request. With a seed, requests are numbered: the same numbers have the same faults. */
  headers(): Record<string, string>;
}

/** What the next requests should suffer, chosen fault by fault. Stays hidden where no function obeys. */
export function createFaultsForm(allowed: boolean): FaultsForm {
  const area = find("faults", HTMLDetailsElement);
  const form = find("faults-form", HTMLFormElement);
  const target = find("fault-target", HTMLSelectElement);
  const action = find("fault-action", HTMLSelectElement);
  const amount = find("fault-amount", HTMLInputElement);
  const amountLabel = find("fault-amount-label", HTMLElement);
  const percent = find("fault-percent", HTMLInputElement);
  const seed = find("fault-seed", HTMLInputElement);
  const list = find("fault-list", HTMLElement);
  const preview = find("fault-header", HTMLElement);
  const count = find("fault-count", HTMLElement);
  const chosen: RequestedFault[] = [];
  let numbered = 0;
  area.hidden = !allowed;

  const currentSeed = () =>
    seed.value.trim() === "" || !seed.validity.valid ? undefined : seed.valueAsNumber;
  const render = () => {
    list.replaceChildren(
      ...chosen.map((fault, index) => {
        const remove = () => {
          chosen.splice(index, 1);
          render();
          target.focus();
        };
        const label = `Remove: ${describeFault(fault)}`;
        const off = button("Remove", remove, { class: "link", "aria-label": label });
        return element("li", {}, element("span", {}, describeFault(fault)), off);
      }),
    );
    const header = faultHeader(chosen, currentSeed());
    setText(
      preview,
      header === undefined ? "No faults: requests pass as they are." : `x-fault: ${header}`,
    );
    setText(count, chosen.length === 0 ? "none" : `${chosen.length} set`);
    numbered = 0;
  };
  const fitAmount = () => {
    const delay = action.value === "delay";
    setText(amountLabel, delay ? "Delay in ms" : "HTTP status");
    amount.min = delay ? "1" : "400";
    amount.max = delay ? "30000" : "599";
    amount.value = delay ? "800" : "503";
  };
  action.addEventListener("change", fitAmount);
  seed.addEventListener("input", render);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const amounts = action.value === "delay" ? `delay:${amount.value}ms` : amount.value;
    chosen.push({ target: target.value, action: amounts, percent: percent.valueAsNumber });
    render();
  });
  fitAmount();
  render();

  return {
    update({ nodes }) {
      const names = nodes
        .filter((node) => triggeredKinds.includes(node.kind) && isOwnNode(node))
        .map(({ name }) => name);
      const offered = [...target.options].map(({ value }) => value);
      if (offered.join() === names.join()) return;
      const kept = target.value;
      target.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
      if (names.includes(kept)) target.value = kept;
    },
    headers() {
      const header = allowed ? faultHeader(chosen, currentSeed()) : undefined;
      if (header === undefined) return {};
      if (currentSeed() === undefined) return { "x-fault": header };
      numbered += 1;
      return { "x-fault": header, "x-request-id": `page-${currentSeed()}-${numbered}` };
    },
  };
}
