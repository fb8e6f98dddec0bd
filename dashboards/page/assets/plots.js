import { byId, el, fill } from "./dom.js";

// A plot is a stack of bars, the first at the bottom.
const plots = [
  { id: "sessions", series: [{ count: "sessions", name: "sessions", mark: "plain" }] },
  { id: "mails", series: [
    { count: "accepted", name: "accepted", mark: "good" },
    { count: "deferred", name: "deferred", mark: "wait" },
    { count: "rejected", name: "rejected", mark: "bad" },
    { count: "other", name: "given up", mark: "other" }] },
  { id: "logins", series: [
    { count: "logins", name: "succeeded", mark: "good" },
    { count: "logins_failed", name: "failed", mark: "bad" }] },
];

let rates = null; // as the API gives them, of the last hour

export function setRates(all) { rates = all; draw(); }

// addRates takes the last buckets of an update.
export function addRates(tail) {
  if (!rates || tail.first === 0) return;
  const have = rates.first / rates.step, length = 360;
  const end = tail.first / tail.step + 3, first = end - length;
  const at = (i) => i + first - have;
  const merged = { ...rates, first: first * rates.step, roles: tail.roles, rates: {} };
  for (const role of new Set([...Object.keys(rates.rates), ...Object.keys(tail.rates)])) {
    merged.rates[role] = {};
    for (const { count } of plots.flatMap((p) => p.series)) {
      const old = rates.rates[role]?.[count] || [], late = tail.rates[role]?.[count] || [0, 0, 0];
      merged.rates[role][count] = Array.from({ length }, (_, i) => (i >= length - 3 ? late[i - length + 3] : old[at(i)] || 0));
    }
  }
  rates = merged;
  draw();
}

// rolesSeen lists the roles that the last hour has.
export const rolesSeen = () => (rates ? rates.roles.filter((r) => rates.rates[r]) : []);

function sum(count) {
  const role = byId("role").value, out = new Array(360).fill(0);
  for (const [name, counts] of Object.entries(rates.rates)) {
    if (!role || name === role) counts[count].forEach((v, i) => { out[i] += v; });
  }
  return out;
}

// window says how much is drawn, and how many buckets make one bar: little
// at first, an hour in the end.
function span() {
  let begin = 360;
  for (const counts of Object.values(rates.rates)) {
    for (const values of Object.values(counts)) {
      const i = values.findIndex((v) => v > 0);
      if (i >= 0) begin = Math.min(begin, i);
    }
  }
  const shown = Math.min(360, Math.max(30, 360 - begin));
  return shown <= 90 ? { shown, bar: 1 } : { shown: Math.ceil(shown / 6) * 6, bar: 6 };
}

// bars adds buckets up to bars of a rate a minute. A bar stands on whole steps of
// time, so that it does not change but grow.
function bars(values, { shown, bar }) {
  const out = [], number = rates.first / rates.step;
  let end = 360;
  if (bar > 1) end += (bar - ((number + 360) % bar)) % bar;
  for (let i = end - Math.ceil(shown / bar) * bar; i < end; i += bar) {
    let n = 0;
    for (let k = i; k < Math.min(i + bar, 360); k++) n += values[k] || 0;
    out.push([(number + i) * rates.step, (n * 60) / (rates.step * bar)]);
  }
  return out;
}

const drawn = {};

export function draw() {
  if (!rates || !window.uPlot) return;
  for (const p of plots) {
    const sums = p.series.map((s) => sum(s.count));
    figures(p, sums);
    const stacks = sums.map((values) => bars(values, span()));
    const data = [stacks[0].map((b) => b[0])];
    let below = data[0].map(() => 0);
    for (const s of stacks) { below = s.map((b, i) => b[1] + below[i]); data.push(below); }
    data.splice(1, stacks.length, ...data.slice(1).reverse()); // the highest is drawn first, the others over it
    paint(p, data);
  }
}

// figures says the mean of the last minute that is over.
function figures(p, sums) {
  const plot = byId("p-" + p.id), said = [];
  fill(byId("f-" + p.id), p.series.map((s, i) => {
    const minute = sums[i].slice(353, 359).reduce((a, b) => a + b, 0);
    said.push(`${minute} ${s.name}`);
    const kind = [s.mark, i > 0 && s.mark !== "bad" ? "minor" : "", minute > 0 ? "some" : ""].filter(Boolean).join(" ");
    return el("div", { class: kind }, el("dt", {}, s.name), el("dd", {}, minute.toLocaleString("en")));
  }));
  plot.setAttribute("aria-label", `Bars of the last hour; in the last minute ${said.join(", ")}.`);
}

function paint(p, data) {
  const root = byId("p-" + p.id), old = drawn[p.id];
  const width = root.clientWidth, height = root.clientHeight;
  if (old && old.series.length === data.length) {
    if (old.width !== width || old.height !== height) old.setSize({ width, height });
    old.setData(data);
    return;
  }
  drawn[p.id] = new window.uPlot(optionsOf(p, width, height), data, root);
}

// redraw makes the plots anew: the room's light has changed.
export function redraw() {
  for (const id of Object.keys(drawn)) { drawn[id].destroy(); delete drawn[id]; }
  draw();
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const two = (n) => String(n).padStart(2, "0");
const clock = (seconds) => { const d = new Date(seconds * 1000); return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()); };
const short = (v) => (v >= 1e6 ? v / 1e6 + "M" : v >= 1e3 ? v / 1e3 + "k" : String(v));

function optionsOf(p, width, height) {
  const axis = { stroke: colour("faint"), font: "12px system-ui, sans-serif", grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
  const series = [...p.series].reverse().map((s) => ({
    label: s.name, fill: colour(s.mark), stroke: colour(s.mark), width: 0, points: { show: false },
    paths: window.uPlot.paths.bars({ size: [0.82, 40], align: 1 }),
  }));
  return {
    width, height, legend: { show: false }, cursor: { show: false }, padding: [8, 18, 0, 0],
    scales: { x: { time: true, range: (u, min, max) => [min, max + (u.data[0][1] - u.data[0][0] || 10)] }, y: { range: (u, min, max) => [0, Math.max(max * 1.1, 1)] } },
    series: [{}, ...series],
    axes: [
      { ...axis, size: 24, space: 70, values: (u, splits) => splits.map(clock), grid: { show: false } },
      { ...axis, size: 42, space: 32, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7], values: (u, splits) => splits.map(short) },
    ],
  };
}
