// A heat map on a canvas: bytes in proportion to the logarithm of the counts, axes, and a bar that tells the counts.

import { short, ticks, tickText } from "./numbers.js";

// viridis (matplotlib, CC0), at seventeen places.
const COLOURS = [
  [68, 1, 84], [72, 24, 106], [71, 45, 123], [66, 64, 134], [59, 82, 139], [51, 99, 141], [44, 114, 142], [38, 130, 142],
  [33, 145, 140], [31, 160, 136], [40, 174, 128], [63, 188, 115], [94, 201, 98], [132, 212, 75], [173, 220, 48],
  [216, 226, 25], [253, 231, 37],
];
const TABLE = Array.from({ length: 256 }, (_, level) => {
  const place = (level / 255) * (COLOURS.length - 1);
  const left = Math.min(COLOURS.length - 2, Math.floor(place));
  return [0, 1, 2].map((k) => COLOURS[left][k] + (place - left) * (COLOURS[left + 1][k] - COLOURS[left][k]));
});

export function drawHeatMap(canvas, map, array) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const draw = canvas.getContext("2d");
  draw.scale(ratio, ratio);
  draw.fillStyle = "#fff";
  draw.fillRect(0, 0, width, height);
  draw.font = "14px system-ui, sans-serif";
  draw.fillStyle = "#222";
  if (!map || !array) {
    draw.textAlign = "center";
    draw.fillText("nothing to show yet", width / 2, height / 2);
    return;
  }
  const box = { left: 52, top: 10, right: width - 62, bottom: height - 40 };
  drawCells(draw, box, array);
  drawAxes(draw, box, map, height);
  drawBar(draw, box, map.most);
}

function drawCells(draw, box, array) {
  const [rows, columns] = array.shape;
  const cells = new OffscreenCanvas(columns, rows);
  const image = new ImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const level = array.values[(rows - 1 - row) * columns + column];
      const [r, g, b] = level === 0 ? [255, 255, 255] : TABLE[level];
      image.data.set([r, g, b, 255], 4 * (row * columns + column));
    }
  }
  cells.getContext("2d").putImageData(image, 0, 0);
  draw.imageSmoothingEnabled = false;
  draw.drawImage(cells, box.left, box.top, box.right - box.left, box.bottom - box.top);
  draw.strokeStyle = "#222";
  draw.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
}

function share(axis, value) {
  const scale = axis.log ? Math.log : (each) => each;
  return (scale(value) - scale(axis.low)) / (scale(axis.high) - scale(axis.low));
}

function drawAxes(draw, box, map, height) {
  draw.fillStyle = "#222";
  draw.textAlign = "center";
  let free = -Infinity;
  for (const at of ticks(map.x.low, map.x.high, map.x.log)) {
    const x = box.left + share(map.x, at) * (box.right - box.left);
    draw.fillRect(x - 0.5, box.bottom, 1, 5);
    const text = tickText(at), half = draw.measureText(text).width / 2;
    if (x - half < free) continue;
    draw.fillText(text, x, box.bottom + 18);
    free = x + half + 6;
  }
  draw.fillText(map.x.label, (box.left + box.right) / 2, height - 6);
  draw.textAlign = "right";
  for (const at of ticks(map.y.low, map.y.high, map.y.log)) {
    const y = box.bottom - share(map.y, at) * (box.bottom - box.top);
    draw.fillRect(box.left - 5, y - 0.5, 5, 1);
    draw.fillText(tickText(at), box.left - 8, y + 5);
  }
  draw.save();
  draw.translate(14, (box.top + box.bottom) / 2);
  draw.rotate(-Math.PI / 2);
  draw.textAlign = "center";
  draw.fillText(map.y.label, 0, 0);
  draw.restore();
}

function drawBar(draw, box, most) {
  const left = box.right + 10, height = box.bottom - box.top;
  for (let level = 0; level < 256; level++) {
    draw.fillStyle = `rgb(${TABLE[level].map(Math.round).join(",")})`;
    draw.fillRect(left, box.bottom - ((level + 1) / 256) * height, 12, height / 256 + 1);
  }
  draw.fillStyle = "#222";
  draw.textAlign = "left";
  for (let count = 1; count <= most; count *= 10) {
    const y = box.bottom - (Math.log1p(count) / Math.log1p(most)) * height;
    draw.fillText(short(count), left + 16, Math.max(box.top + 10, y + 5));
  }
}
