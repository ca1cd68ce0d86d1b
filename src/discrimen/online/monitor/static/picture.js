// The whole page as one PNG: what its canvases show, one below the other, under a line that says what it is.

const WIDTH = 1200, TITLE = 34, MARGIN = 16;

export function savePicture(title, panels) {
  const half = (WIDTH - 3 * MARGIN) / 2;
  const rows = [];
  for (let at = 0; at < panels.length; at += 2) rows.push(panels.slice(at, at + 2));
  const heightOf = ({ canvas }) => (canvas && canvas.width ? (canvas.height / canvas.width) * half : 0);
  const heights = rows.map((row) => Math.max(...row.map(heightOf)) + TITLE);
  const sheet = document.createElement("canvas");
  sheet.width = WIDTH;
  sheet.height = 3 * TITLE + heights.reduce((sum, each) => sum + each, 0) + MARGIN;
  const draw = sheet.getContext("2d");
  draw.fillStyle = "#fff";
  draw.fillRect(0, 0, sheet.width, sheet.height);
  draw.fillStyle = "#111";
  draw.font = "bold 20px system-ui, sans-serif";
  title.forEach((text, at) => draw.fillText(text, MARGIN, TITLE * (at + 0.8), WIDTH - 2 * MARGIN));
  let top = TITLE * 2.4;
  draw.font = "16px system-ui, sans-serif";
  rows.forEach((row, at) => {
    row.forEach((panel, column) => {
      const left = MARGIN + column * (half + MARGIN);
      draw.fillText(panel.title, left, top + 18, half);
      if (panel.canvas && panel.canvas.width) draw.drawImage(panel.canvas, left, top + TITLE - 8, half, heightOf(panel));
    });
    top += heights[at];
  });
  return new Promise((resolve) => sheet.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "monitor.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    resolve(blob);
  }, "image/png"));
}
