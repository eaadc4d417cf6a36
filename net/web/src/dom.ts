// Elements, made in one call. Text goes in as text: nothing a host sends becomes markup.

type Properties<Name extends keyof HTMLElementTagNameMap> = Partial<HTMLElementTagNameMap[Name]>;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name, properties: Properties<Name> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

export function button(text: string, press: () => void, className = ""): HTMLButtonElement {
  const made = element("button", { type: "button", className }, text);
  made.addEventListener("click", press);
  return made;
}

export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found as Kind;
}
