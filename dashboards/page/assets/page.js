// The live page: it asks for all once, then takes an update a second.
import { byId, el, get } from "./dom.js";
import { openLadder } from "./ladder.js";
import { addRates, draw, redraw, rolesSeen, setRates } from "./plots.js";
import * as sessions from "./sessions.js";
import { showAlerts, showTalkers } from "./tables.js";

function state(name, text) {
  const live = byId("live");
  if (live.dataset.state === name) return;
  live.dataset.state = name;
  live.textContent = text;
}

let shownAlerts = "", shownTalkers = "";

// changed keeps what has not changed from being built anew: a focus stays.
function showStatus(s) {
  byId("sensor").textContent = s.sensor;
  byId("version").textContent = "mailtap " + s.version;
  document.title = (s.alerts.firing ? `(${s.alerts.firing}) ` : "") + "mailtap " + s.sensor;
  byId("clock").textContent = s.now ? s.now.slice(11, 19) + " UTC" : "no packet yet";
  byId("sample").textContent = s.every > 1 ? `at this rate one of ${s.every} sessions is followed` : "";
  if (JSON.stringify(s.alerts) !== shownAlerts) {
    shownAlerts = JSON.stringify(s.alerts);
    showAlerts(s.alerts, openLadder);
  }
}

function talkers(list) {
  if (JSON.stringify(list) === shownTalkers) return;
  shownTalkers = JSON.stringify(list);
  showTalkers(list, find);
}

function find(text) {
  byId("search").value = text;
  sessions.load().catch(lost);
  byId("search").scrollIntoView({ block: "center" });
}

function roles() {
  const select = byId("role"), have = new Set([...select.options].map((o) => o.value));
  for (const role of rolesSeen()) if (!have.has(role)) select.append(el("option", { value: role }, role));
}

const lost = () => state("lost", "connection lost");

async function all() {
  const [status, rates, top] = await Promise.all([get("api/v1/status"), get("api/v1/rates"), get("api/v1/talkers"), sessions.load()]);
  showStatus(status);
  setRates(rates);
  talkers(top);
  roles();
  state("live", "live");
}

function update(u) {
  showStatus(u.status);
  addRates(u.rates);
  talkers(u.talkers);
  sessions.add(u.sessions);
  roles();
  state("live", "live");
}

// follow asks for all whenever the stream begins: what was missed is in it.
function follow() {
  const stream = new EventSource("api/v1/events");
  stream.addEventListener("open", () => all().catch(lost));
  stream.addEventListener("update", (e) => update(JSON.parse(e.data)));
  stream.addEventListener("error", () => {
    lost();
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 30000); // refused, as where too many pages are open
  });
}

let typing;
byId("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => sessions.load().catch(lost), 200); });
byId("role").addEventListener("change", () => { draw(); sessions.show(); });
byId("ladder").addEventListener("click", (e) => { if (e.target === byId("ladder")) byId("ladder").close(); });
byId("ladder").addEventListener("close", () => history.replaceState(null, "", location.pathname));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(draw).observe(document.querySelector(".plots"));
sessions.onOpen(openLadder);
follow();
if (/^#[0-9a-f]+$/.test(location.hash)) openLadder(location.hash.slice(1));
