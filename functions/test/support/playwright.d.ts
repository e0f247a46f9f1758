/**
 * Playwright's types name these of the DOM. Code for Node has no DOM, and tests reach into a page by locators only,
 * so they are names without content here.
 */
interface Node {
  readonly nodeType?: never;
}
interface HTMLElement extends Node {
  readonly tagName?: never;
}
interface SVGElement extends Node {
  readonly tagName?: never;
}
interface HTMLElementTagNameMap {
  readonly none: HTMLElement;
}
