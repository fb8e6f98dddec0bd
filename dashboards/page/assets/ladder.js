import { byId, el, fill, get, wire } from "./dom.js";

const marks = { accepted: "good", success: "good", established: "good", deferred: "wait", rejected: "bad", failure: "bad", failed: "bad", refused: "bad", stripped: "bad" };
const arrows = { command: "→", reply: "←", greeting: "←" };

// openLadder shows a session from its first step to its last.
export async function openLadder(id) {
  const dialog = byId("ladder");
  let view;
  try {
    view = await get("api/v1/sessions/" + encodeURIComponent(id));
  } catch (err) {
    fill(dialog, [head(`Session ${id}`, [String(err.message)])]);
    dialog.showModal();
    return;
  }
  const facts = [`${view.role}, ${view.direction}`, view.time.slice(0, 19).replace("T", " ") + " UTC", `${view.duration.toFixed(3)} s`, view.end];
  if (view.partial) facts.push("partial: the capture misses some of it");
  const steps = view.steps.map(step);
  if (view.left_out) steps.push(el("li", {}, el("span"), el("span"), el("span", { class: "said" }, `${view.left_out} more steps are left out`)));
  fill(dialog, [head([wire(view.client), " → ", wire(view.server), view.server_name ? [" ", el("small", {}, wire(view.server_name))] : ""], [facts.join(" · "), view.session]),
    el("ol", { class: "steps", tabindex: 0, "aria-label": "Steps" }, steps)]);
  if (!dialog.open) dialog.showModal();
  history.replaceState(null, "", "#" + view.session); // a link to it, as long as it is kept
}

function head(title, lines) {
  return el("div", { class: "ladder-head" },
    el("div", {}, el("h2", { id: "ladder-title" }, title), lines.map((l) => el("p", {}, wire(l)))),
    el("button", { type: "button", onclick: () => byId("ladder").close() }, "Close"));
}

function mark(s) {
  if (s.kind === "command") return "plain";
  if (s.kind === "reply" || s.kind === "greeting") return s.code >= 500 ? "bad" : s.code >= 400 ? "wait" : "good";
  if (s.kind === "anomaly" || s.exposed) return "wait";
  if (s.kind === "opening" && s.result === "established") return "other";
  return marks[s.result] || "other";
}

function said(s) {
  switch (s.kind) {
    case "command": return [wire(command(s))];
    case "reply":
    case "greeting":
      if (!s.code) return ["(no reply was seen)"];
      return [el("span", { class: "code" }, String(s.code)), " ", wire(s.text || s.enhanced || "")];
    case "anomaly": return [el("b", {}, s.result), ": ", wire(s.text)];
  }
  return [wire(s.text || "")];
}

function command(s) {
  if (s.text) return s.text;
  switch (s.verb) {
    case ".": return "(content) .";
    case "OTHER": return "(a command that no standard names)";
    case "MAIL": return `MAIL FROM:<${s.argument || ""}>`;
    case "RCPT": return `RCPT TO:<${s.argument || ""}>`;
    case "AUTH": return s.argument ? `AUTH ${s.argument} •••` : "AUTH •••";
  }
  return s.argument ? `${s.verb} ${s.argument}` : s.verb;
}

const seconds = (v) => (v !== 0 && v < 0.01 ? v.toFixed(6) : v.toFixed(3));

function step(s) {
  const note = !arrows[s.kind];
  return el("li", { class: `${s.kind} ${mark(s)}${note ? " note" : ""}` },
    el("span", { class: "at" }, "+" + s.at.toFixed(3)),
    el("span", { class: "arrow" }, arrows[s.kind] || ""),
    el("span", { class: "said" }, said(s), (s.more || []).map((m) => el("span", { class: "more" }, wire(m)))),
    el("span", { class: s.delay >= 1 ? "delay slow" : "delay" }, s.delay === undefined ? "" : seconds(s.delay) + " s"));
}
