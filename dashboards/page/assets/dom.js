// What comes from the wire becomes text nodes and nothing else.

// el makes an element. Children are elements or texts; of attributes, class is
// a class, on… are listeners.
export function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) e.setAttribute(name, value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== "" && c !== undefined && c !== null && c !== false));
  return e;
}

// wire is a text from the wire: its direction of writing ends with it.
export const wire = (text, kind) => el("bdi", kind ? { class: kind } : {}, String(text));

export const byId = (id) => document.getElementById(id);

export function fill(parent, children) { parent.replaceChildren(...children); }

export const timeOf = (text) => text.slice(11, 19);

export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error((await answer.text()).trim() || answer.statusText);
  return answer.json();
}

// addressOf shows an address with its port in a fainter colour.
export function addressOf(text) {
  const at = text.lastIndexOf(":");
  return [wire(text.slice(0, at)), el("span", { class: "port" }, text.slice(at))];
}
