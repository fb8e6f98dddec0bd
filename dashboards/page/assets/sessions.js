import { addressOf, byId, el, fill, get, timeOf, wire } from "./dom.js";

const results = { accepted: "good", deferred: "wait", rejected: "bad", success: "good", failure: "bad" };
const maxRows = 500;

let rows = [];    // newest first: all, or what was found
let kept = 0;
let query = "";
let open = () => {};

export function onOpen(f) { open = f; }

// load asks for the sessions that a search finds, all where it is empty.
export async function load() {
  const asked = byId("search").value.trim();
  const answer = await get("api/v1/sessions?q=" + encodeURIComponent(asked));
  if (asked !== byId("search").value.trim()) return; // another search is under way
  query = asked;
  [rows, kept] = [answer.sessions, answer.kept];
  show();
}

// add takes the newest sessions. What a search would find, the server knows.
let due = 0;
export function add(list) {
  if (!list.length) return;
  if (query || byId("search").value.trim()) {
    if (Date.now() < due) return;
    due = Date.now() + 3000;
    load().catch(() => {});
    return;
  }
  const known = new Set(rows.slice(0, 200).map((r) => r.number));
  rows = [...list.filter((r) => !known.has(r.number)), ...rows].slice(0, maxRows);
  kept = rows.length;
  show();
}

export function show() {
  const role = byId("role").value;
  const list = role ? rows.filter((r) => r.role === role) : rows;
  byId("found").textContent = query ? `${list.length} of the last ${kept}` : list.length.toLocaleString("en");
  const body = byId("sessions"), have = new Map([...body.children].map((tr) => [tr.dataset.number, tr]));
  if (!list.length) return fill(body, [el("tr", {}, el("td", { colspan: 8, class: "empty" }, query ? "Nothing is found." : "No session has ended yet."))]);
  fill(body, list.map((r) => have.get(String(r.number)) || line(r)));
}

function line(r) {
  const button = el("button", { class: "link", type: "button", "aria-label": `Session at ${timeOf(r.time)}, open` }, timeOf(r.time));
  return el("tr", { "data-number": r.number, onclick: () => open(r.session) },
    el("td", {}, button),
    el("td", {}, addressOf(r.client), r.origin ? [" for ", wire(r.origin)] : ""),
    el("td", { class: "server" }, r.server_name ? [wire(r.server_name), el("span", { class: "port" }, r.server.slice(r.server.lastIndexOf(":")))] : addressOf(r.server)),
    el("td", {}, wire(r.role)),
    el("td", { class: "what" }, what(r)),
    el("td", { class: "result" }, result(r)),
    el("td", { class: "tls" }, /^TLS|^SSL/.test(r.tls || "") ? r.tls.replace("TLSv", "") : r.tls ? el("span", { class: "badge bad" }, r.tls) : ""),
    el("td", { class: "number" }, r.duration.toFixed(3)));
}

function what(r) {
  const m = r.mails?.[0];
  if (m) {
    return [wire(m.from || "<>"), " → ", wire((m.to || []).join(", ") || "nobody"), m.more ? ` and ${m.more} more` : "",
      m.subject ? el("span", { class: "subject" }, " · ", wire(m.subject)) : "", r.mail_count > 1 ? ` · ${r.mail_count} mails` : ""];
  }
  if (r.logins?.length) return ["login of ", wire([...new Set(r.logins.map((l) => l.user || "nobody"))].join(", "))];
  return r.helo ? ["from ", wire(r.helo)] : "";
}

function result(r) {
  const all = [], seen = new Set();
  const badge = (text, kind) => { if (!seen.has(text)) { seen.add(text); all.push(el("span", { class: "badge " + kind }, text)); } };
  for (const m of r.mails || []) badge(m.code >= 400 ? `${m.result} ${m.code}` : m.result, results[m.result] || "other");
  if (r.logins_failed) badge(r.logins_failed > 1 ? `${r.logins_failed} logins failed` : "login failed", "bad");
  else if (!r.mails && r.logins?.length) badge("logged in", "good");
  if (r.end !== "quit" && r.end !== "closed") badge(r.end, "wait");
  const odd = r.anomalies?.length || 0;
  if (odd) badge(odd > 1 ? `${r.anomalies[0]} +${odd - 1}` : r.anomalies[0], "plain");
  return all;
}
