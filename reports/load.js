// Draws what <script id="data"> holds: reports of loads, and the live page. Everything that is drawn stands in a table as well.
"use strict";
var mailproof = (function () {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (v) => v == null ? "" : v >= 1e9 ? (v / 1e9).toPrecision(3) + "G" : v >= 1e6 ? (v / 1e6).toPrecision(3) + "M"
    : v >= 1e4 ? (v / 1e3).toPrecision(3) + "k" : String(+(+v).toPrecision(3));
  const milliseconds = (v) => v == null ? "" : v >= 1000 ? +(v / 1000).toPrecision(3) + " s" : +(+v).toPrecision(3) + " ms";
  const clock = (s) => s < 120 ? s + " s" : Math.floor(s / 60) + ":" + String(Math.round(s % 60)).padStart(2, "0");
  const drawn = {};
  let measured = null;  // seconds: from, to

  // The phase that the promises are about, behind what is drawn over time.
  function phase(u) {
    if (!measured) return;
    const at = (x) => Math.min(u.bbox.left + u.bbox.width, Math.max(u.bbox.left, u.valToPos(x, "x", true)));
    u.ctx.fillStyle = "rgba(" + css("--heat") + ",.07)";
    u.ctx.fillRect(at(measured[0]), u.bbox.top, at(measured[1]) - at(measured[0]), u.bbox.height);
  }

  // A chart in the box with this id, or new figures in the one that is there.
  function chart(id, data, series, options) {
    const box = document.getElementById(id);
    if (!box) return;
    if (drawn[id]) drawn[id].destroy();
    const axis = (more) => Object.assign({stroke: css("--faint"), grid: {stroke: css("--line"), width: 1},
      ticks: {stroke: css("--line"), width: 1}}, more);
    const colours = ["--one", "--two", "--three"];
    drawn[id] = new uPlot({
      width: Math.max(260, box.clientWidth), height: 220, legend: {show: series[0] !== "", live: true},
      cursor: {sync: options.x ? undefined : {key: "time"}, drag: {x: true, y: false}},
      scales: Object.assign({x: {time: false}}, options.scales),
      axes: [axis({values: (u, vs) => vs.map(options.x || clock), incrs: options.x ? [1, 2] : undefined}), axis({size: 62, values: (u, vs) => vs.map(options.y || short)})],
      series: [{label: options.x ? "percentile" : "time", value: (u, v) => v == null ? "" : (options.x || clock)(v)}].concat(
        series.map((label, i) => ({label: label, stroke: css(label === "failed" ? "--bad" : colours[i]), width: 1.5, spanGaps: false,
          points: {show: data[0].length < 4}, value: (u, v) => (options.y || short)(v)}))),
      hooks: Object.assign(options.x ? {} : {drawClear: [phase]}, options.hooks),
    }, data, box);
  }

  const nines = (x) => +(100 * (1 - Math.pow(10, -x))).toFixed(Math.max(0, Math.ceil(x) - 1)) + " %";
  const logarithmic = {y: {distr: 3}};

  // uPlot draws the axes; the fields are ours.
  function heatmap(id, heat) {
    const cells = [], rows = heat.rows, step = heat.seconds;
    heat.columns.forEach((column, i) => column.slice(1).forEach((n, k) => { if (n) cells.push(i, column[0] + k, n); }));
    if (!rows.length) return;
    let most = 1, last = 0;
    for (let i = 0; i < cells.length; i += 3) { most = Math.max(most, cells[i + 2]); last = Math.max(last, cells[i]); }
    const x = [0, (last + 1) * step], colour = css("--heat");
    const draw = (u) => {
      for (let i = 0; i < cells.length; i += 3) {
        const left = u.valToPos(cells[i] * step, "x", true), right = u.valToPos((cells[i] + 1) * step, "x", true);
        const low = u.valToPos(rows[cells[i + 1]], "y", true), high = u.valToPos(rows[cells[i + 1] + 1], "y", true);
        const shade = 0.12 + 0.88 * Math.log(1 + cells[i + 2]) / Math.log(1 + most);
        u.ctx.fillStyle = "rgba(" + colour + "," + shade + ")";
        u.ctx.fillRect(left, high, Math.max(1, right - left), Math.max(1, low - high));
      }
    };
    chart(id, [x, [rows[0], rows[rows.length - 1]]], [""], {y: milliseconds, hooks: {draw: [draw]},
      scales: {x: {time: false, range: x}, y: {distr: 3, range: [rows[0], rows[rows.length - 1]]}}});
    drawn[id].setSeries(1, {show: false});
  }

  function draw(data, name) {
    const op = data.operations.find((one) => one.name === name) || data.operations[0];
    if (!op) return;
    measured = data.measured || null;
    const time = Array.from({length: data.points}, (_, i) => i * data.seconds);
    chart("throughput", [time, op.due, op.ok, op.bad], ["due", "done", "failed"], {});
    chart("latency", [time, op.p50, op.p99], ["p50", "p99"], {y: milliseconds, scales: logarithmic});
    if (op.curve) chart("curve", op.curve, ["response", "service"], {x: nines, y: milliseconds, scales: logarithmic});
    if (op.heat) heatmap("heatmap", op.heat);
    const levels = data.levels || {}, names = {running: "under way", waiting: "waiting", connections: "connections"};
    const there = Object.keys(names).filter((name) => levels[name]);  // customers of a plan are no copies
    if (there.length) chart("levels", [time].concat(there.map((name) => levels[name])), there.map((name) => names[name]), {});
    chart("octets", [time, data.octets.in, data.octets.out], ["received", "sent"], {});
  }

  // Shows the charts of `data`, and again where another operation is chosen or the page gets another width.
  function show(get) {
    const box = document.getElementById("charts"), choice = document.getElementById("operation");
    box.hidden = false;
    for (const op of get().operations) choice.add(new Option(op.name, op.name));
    const again = () => draw(get(), choice.value);
    choice.addEventListener("change", again);
    let waiting = 0;
    addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(again, 150); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    again();
    return again;
  }

  const written = document.getElementById("data");
  if (written) {
    const data = JSON.parse(written.textContent);
    show(() => data);
  }
  return {chart, draw, show, milliseconds, short};
})();
