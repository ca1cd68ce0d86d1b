// Lines over time, and waveforms: uPlot, with stretches of missing data in grey.

import { clock, tickText } from "./numbers.js";

/* global uPlot */

const FONT = "13px system-ui, sans-serif";

function axes(xText, isTime) {
  const style = { font: FONT, labelFont: FONT, stroke: "#222", grid: { stroke: "#e3e3e3", width: 1 }, ticks: { stroke: "#999" } };
  return [
    { ...style, label: xText || undefined, labelSize: xText ? 18 : undefined, values: (_, all) => all.map(isTime ? clock : tickText), space: isTime ? 80 : 50 },
    { ...style, size: 56, values: (_, all) => all.map((each) => (each === null ? "" : tickText(each))) },
  ];
}

export class Lines {
  constructor(place, { xText = "", isTime = true, series, isLog = false }) {
    this.place = place;
    this.gaps = [];
    this.signature = "";
    this.make = (shown) => new uPlot({
      width: this.place.clientWidth,
      height: this.place.clientHeight,
      padding: [null, 28, null, null],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: isTime }, y: isLog ? { distr: 3 } : { range: (_, low, high) => [Math.min(0, low ?? 0), (high > 0 ? high : 1) * 1.08] } },
      axes: axes(xText, isTime),
      series: [{}, ...shown],
      hooks: { drawClear: [(plot) => this.shade(plot)] },
    }, [[], ...shown.map(() => [])], this.place);
    this.fixed = series;
    new ResizeObserver(() => this.plot?.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
  }

  show(data, shown = this.fixed) {
    const signature = JSON.stringify(shown);
    if (!this.plot || signature !== this.signature) {
      this.plot?.destroy();
      this.plot = this.make(shown);
      this.signature = signature;
    }
    this.plot.setData(data);
  }

  shade(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = "#fff";
    ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
    ctx.fillStyle = "rgba(90, 90, 90, 0.38)";
    for (const gap of this.gaps) {
      const left = Math.max(bbox.left, plot.valToPos(gap.begin_s, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(gap.end_s, "x", true));
      if (right >= bbox.left && left <= bbox.left + bbox.width) ctx.fillRect(left, bbox.top, Math.max(3, right - left), bbox.height);
    }
    ctx.restore();
  }

  get canvas() {
    return this.place.querySelector("canvas");
  }
}

export function line(label, stroke, width = 2) {
  return { label, stroke, width, spanGaps: false, points: { show: false } };
}
