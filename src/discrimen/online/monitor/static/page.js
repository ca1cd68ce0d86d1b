// The page of a stream: takes views from the server and shows them.

import { Channels } from "./channels.js";
import { Connection } from "./connection.js";
import { drawHeatMap } from "./heatmap.js";
import { Lines, line } from "./lines.js";
import { clock, exact, percent, short } from "./numbers.js";
import { savePicture } from "./picture.js";

const NEUTRON = "#d55e00", OTHER = "#0072b2", DARK = "#333";
const at = (id) => document.getElementById(id);
let last = null;

const plots = {
  rates: new Lines(at("plot-rates"), { series: [line("neutrons", NEUTRON), line("others", OTHER)] }),
  latency: new Lines(at("plot-latency"), { series: [line("median", OTHER), line("99 %", DARK)] }),
  waiting: new Lines(at("plot-waiting"), { series: [line("waiting", DARK)] }),
  pulses: new Lines(at("plot-pulses"), { xText: "time (ns)", isTime: false, series: [] }),
};
const connection = new Connection(show, broken);
const channels = new Channels(at("channels"), (chosen) => connection.tell({ channels: chosen }));

at("freeze").addEventListener("click", () => {
  const paused = !connection.wish.paused;
  at("freeze").setAttribute("aria-pressed", String(paused));
  at("frozen").hidden = !paused;
  connection.tell({ paused });
});
at("reset").addEventListener("click", () => {
  if (confirm("Forget heat maps, counts and what the channels were like, for all who look?")) connection.reset();
});
at("png").addEventListener("click", () => savePicture(pictureTitle(), [
  { title: "PSD against energy", canvas: at("map-psd") },
  { title: "Score against energy", canvas: at("map-score") },
  { title: "Rates in 1/s: neutrons red, others blue", canvas: plots.rates.canvas },
  { title: "Last pulses: neutrons red, others blue", canvas: plots.pulses.canvas },
  { title: "Latency in ms: median blue, 99 % black", canvas: plots.latency.canvas },
  { title: "Messages waiting", canvas: plots.waiting.canvas },
]));
window.addEventListener("resize", () => last && showMaps(last));

function pictureTitle() {
  if (!last) return ["discrimen monitor"];
  const which = last.selected === null ? "all channels" : last.selected.map((each) => each.join("/")).join(", ");
  return [`${last.state.title.toUpperCase()}  ${new Date(1000 * last.time_s).toISOString().slice(0, 19)} UTC`, which];
}

function broken() {
  showState({ level: "alarm", title: "no monitor", lines: ["The monitor itself does not answer. Is it running? The page tries again."] });
}

function show(view) {
  last = view;
  showState(view.state);
  showRates(view);
  showTiles(view.figures);
  channels.show(view.channels, view.selected);
  showMaps(view);
  showLines(view);
  showPulses(view);
  showDrift(view.drift);
  showGaps(view.gaps);
  at("footer").textContent = view.model
    ? `Stream at ${view.address} · model ${view.model.sha256.slice(0, 12)} · threshold ${view.model.threshold.slice(0, 80) || "none"} · ${clock(view.time_s)}`
    : `Stream at ${view.address} · ${clock(view.time_s)}`;
}

function showState(state) {
  at("state").className = state.level;
  at("title").textContent = state.title;
  document.title = `${state.title} – discrimen monitor`;
  at("lines").replaceChildren(...state.lines.map((text) => made("li", text)));
}

function made(kind, text, className = "") {
  const element = document.createElement(kind);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function otherName(view) {
  const classes = view.model?.classes ?? [];
  if (classes.length === 2 && classes.includes("gamma")) return "gammas";
  return classes.length ? "others" : "pulses";
}

function showRates(view) {
  at("neutron-rate").textContent = short(view.figures.neutron_hz);
  at("other-rate").textContent = short(view.figures.other_hz);
  at("other-name").textContent = `${otherName(view)}/s`;
  at("other-told").textContent = otherName(view);
}

function showTiles(figures) {
  const tiles = [
    ["pulses", short(figures.n_pulses)],
    ["saturated", percent(figures.shares.saturated)],
    ["pile-up", percent(figures.shares.piled_up)],
    ["unlike training", percent(figures.shares.outside)],
    ["not scored", percent(figures.n_pulses ? figures.n_unscored / figures.n_pulses : null)],
    ["latency, median", figures.latency_ms.length ? `${short(figures.latency_ms[0])} ms` : "–"],
    ["latency, 99 %", figures.latency_ms.length ? `${short(figures.latency_ms[2])} ms` : "–"],
    ["messages waiting", short(figures.n_waiting)],
    ["time computing", percent(figures.busy)],
    ["messages lost", short(figures.n_lost)],
    ["run time missing", figures.missing_s ? `${short(figures.missing_s)} s` : "0 s"],
    ["restarts", short(figures.n_restarts)],
  ];
  at("tiles").replaceChildren(...tiles.map(([name, value]) => {
    const tile = made("div", "", "tile");
    tile.append(made("b", value), made("span", name));
    return tile;
  }));
}

function showMaps(view) {
  for (const name of ["psd", "score"]) {
    const map = view.maps[name];
    drawHeatMap(at(`map-${name}`), map, view.arrays[`map_${name}`]);
    const beyond = map?.n_beyond ? `, ${short(map.n_beyond)} beyond the axes` : "";
    at(`${name}-told`).textContent = map ? `${short(map.n_pulses)} pulses as examples${beyond}` : "";
  }
}

function showLines(view) {
  const values = (name) => Array.from(view.arrays[`series_${name}`].values, (each) => (Number.isNaN(each) ? null : each));
  const neutron = values("neutron");
  const time = neutron.map((_, step) => view.series.begin_s + 2 * step);
  const gaps = view.gaps;
  for (const plot of [plots.rates, plots.latency, plots.waiting]) plot.gaps = gaps;
  plots.rates.show([time, neutron, values("other")]);
  plots.latency.show([time, values("latency_median_ms"), values("latency_99_ms")]);
  plots.waiting.show([time, values("n_waiting")]);
}

function showPulses(view) {
  const shown = [], data = [];
  let length = 0;
  for (const [name, colour] of [["other", OTHER], ["neutron", NEUTRON]]) {
    const { shape, values } = view.arrays[`pulses_${name}`];
    for (let row = 0; row < shape[0]; row++) {
      const wave = Array.from(values.subarray(row * shape[1], (row + 1) * shape[1]), (each) => (Number.isNaN(each) ? null : each));
      shown.push(line(`${name} ${row}`, colour, 1.5));
      data.push(wave);
      length = Math.max(length, wave.length);
    }
  }
  const step = view.pulse_step_ns || 1;
  const time = Array.from({ length }, (_, sample) => sample * step);
  plots.pulses.show([time, ...data.map((wave) => [...wave, ...Array(length - wave.length).fill(null)])], shown);
}

function showDrift(figures) {
  at("drift").hidden = !figures.length;
  at("drift").querySelector("tbody").replaceChildren(...figures.map((each) => {
    const row = made("tr", "", each.drifted ? "drifted" : "");
    row.append(made("td", each.name), made("td", exact(each.before)), made("td", exact(each.now)), made("td", each.drifted ? "drift" : ""));
    return row;
  }));
}

function showGaps(gaps) {
  at("gaps").hidden = !gaps.length;
  at("gaps").querySelector("ol").replaceChildren(...gaps.slice(-8).reverse().map((gap) => made("li", `${clock(gap.begin_s)} to ${clock(gap.end_s)}: ${gap.why}`)));
}
