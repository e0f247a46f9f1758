type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * A new element. Children that are text stay text: nothing that came from a server is ever read as HTML. A style
 * attribute would be refused by the content security policy, so styles are set on `.style` or by a class.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** The element of index.html with this id; throws when the page and its code do not match. */
export function find<Wanted extends Element>(id: string, type: new () => Wanted): Wanted {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`index.html has no ${type.name} with the id ${id}`);
}

/** Leaves the element alone where it says so already: a rewritten text loses the reader's selection. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A button that is no submit button. */
export function button(text: string, onClick: () => void, attributes: Attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", onClick);
  return made;
}

/** A link to another tool, which opens beside the page. */
export function outsideLink(text: string, href: string): HTMLAnchorElement {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}
