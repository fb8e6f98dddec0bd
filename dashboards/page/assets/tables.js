import { byId, el, fill, timeOf, wire } from "./dom.js";

const severity = { critical: "bad", warning: "wait", info: "plain" };

// showAlerts lists what fires, most severe first. open opens a session's ladder.
export function showAlerts(alerts, open) {
  byId("alert-count").textContent = alerts.firing ? `${alerts.firing} firing` : "";
  if (!alerts.list.length) return fill(byId("alerts"), [el("li", { class: "good" }, "Nothing fires.")]);
  fill(byId("alerts"), alerts.list.map((a) => el("li", { class: severity[a.severity] || "other" },
    el("time", { class: "when", datetime: a.started }, timeOf(a.started)),
    el("p", {}, el("b", {}, wire(a.rule)), " ", el("span", { class: "badge " + (severity[a.severity] || "other") }, a.severity)),
    el("p", {}, wire(a.summary)),
    (a.sessions || []).slice(0, 3).map((id) => el("button", { class: "link", type: "button", onclick: () => open(id) }, `session ${id.slice(0, 8)}`)))));
}

const tables = [["clients", "clients, by sessions"], ["sender_domains", "sender domains, by mails"],
  ["recipient_domains", "recipient domains"], ["logins", "login names"]];

// showTalkers lists who is seen most. find searches for a name.
export function showTalkers(talkers, find) {
  fill(byId("talkers"), tables.map(([name, caption]) => {
    const list = talkers[name].slice(0, 8), bad = list.some((t) => t.bad);
    return el("table", {}, el("caption", {}, caption),
      el("tbody", {}, list.length ? list.map((t) => line(t, bad, find)) : el("tr", {}, el("td", { class: "empty" }, "none"))));
  }));
}

function line(t, bad, find) {
  return el("tr", {},
    el("th", { scope: "row", title: t.name }, el("button", { class: "link", type: "button", onclick: () => find(t.name) }, wire(t.name))),
    bad ? el("td", { class: "bad" }, t.bad ? t.bad.toLocaleString("en") : "") : "",
    el("td", {}, (t.above ? "≈" : "") + t.count.toLocaleString("en")));
}
