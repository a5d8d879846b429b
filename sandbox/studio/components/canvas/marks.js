// Marks over the picture: lines, rings, rectangles, labels, messages in flight; see backend/marks.py for their fields.
// `place` turns row and column into pixels of the stage, `cell` is the size of a cell in them, `share` of the tick is over.

const HALO = "rgba(255, 255, 255, 0.75)"; // around each mark, for contrast on any ground

function drawMarks(pen, marks, { place, cell, share, font }) {
  pen.lineCap = pen.lineJoin = "round";
  const labels = marks.filter((mark) => mark.kind === "label");
  for (const mark of marks) {
    const behind = (mark.lag || [0, 0]).map((cells) => cells * (1 - share));
    const at = ([row, col]) => place(row + behind[0], col + behind[1]);
    pen.globalAlpha = mark.alpha ?? 1;
    DRAW[mark.kind]?.(pen, mark, { at, place, cell, share, font });
  }
  pen.globalAlpha = 1;
  for (const mark of labels) drawLabel(pen, mark, place(mark.at[0], mark.at[1]), font);
}

const DRAW = {
  line(pen, mark, { at, place, cell }) {
    const points = mark.points.map((point, k) => (k ? place(...point) : at(point)));
    const width = thick(mark, cell, 0.08);
    stroke(pen, mark, width, () => points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y))));
    if (mark.arrow && points.length > 1) arrow(pen, ...points.slice(-2), Math.min(Math.max(6, 2.5 * width), 13), mark.colour);
  },

  ring(pen, mark, { at, cell }) {
    const [x, y] = at(mark.at), radius = Math.max((mark.radius ?? 0.5) * cell, 5);
    stroke(pen, mark, thick(mark, cell, 0.08), () => pen.arc(x, y, radius, 0, 2 * Math.PI));
  },

  rect(pen, mark, { at, cell }) {
    const [x0, y0] = at(mark.at), [x1, y1] = at([mark.at[0] + mark.size[0], mark.at[1] + mark.size[1]]);
    stroke(pen, mark, thick(mark, cell, 0.08), () => pen.rect(x0, y0, x1 - x0, y1 - y0));
  },

  message(pen, mark, { place, cell, share }) {
    const [x0, y0] = place(...mark.start), [x1, y1] = place(...mark.end);
    pen.globalAlpha = 0.25;
    stroke(pen, { ...mark, dash: mark.lost }, 1.5, () => { pen.moveTo(x0, y0); pen.lineTo(x1, y1); });
    pen.globalAlpha = 1;
    const gone = mark.lost ? Math.min(share, 0.5) : share;
    if (mark.lost) {
      const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
      stroke(pen, mark, 2, () => { pen.moveTo(x - 5, y - 5); pen.lineTo(x + 5, y + 5); pen.moveTo(x - 5, y + 5); pen.lineTo(x + 5, y - 5); });
    }
    pen.beginPath();
    pen.arc(x0 + (x1 - x0) * gone, y0 + (y1 - y0) * gone, Math.min(Math.max(3, 0.14 * cell), 9), 0, 2 * Math.PI);
    pen.fillStyle = mark.colour;
    pen.strokeStyle = HALO;
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.fill();
  },
};

function thick(mark, cell, usual) {
  return Math.min(Math.max(1.5, (mark.width ?? usual) * cell), 6);
}

function stroke(pen, mark, width, trace) {
  pen.setLineDash(mark.dash ? [3 * width, 2.5 * width] : []);
  for (const [colour, wide] of [[HALO, width + 2], [mark.colour, width]]) {
    pen.beginPath();
    trace();
    [pen.strokeStyle, pen.lineWidth] = [colour, wide];
    pen.stroke();
  }
  pen.setLineDash([]);
}

function arrow(pen, [x0, y0], [x1, y1], size, colour) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  pen.beginPath();
  for (const turn of [0, 2.5, -2.5]) pen.lineTo(x1 + size * Math.cos(angle + turn), y1 + size * Math.sin(angle + turn));
  pen.fillStyle = colour;
  pen.fill();
}

// Words on a pill, kept within the stage.
function drawLabel(pen, mark, [x, y], font) {
  pen.font = `600 12px ${font}`;
  const wide = pen.measureText(mark.text).width + 12, tall = 20, room = pen.canvas.clientWidth;
  const left = Math.max(2, Math.min(x - wide / 2, room - wide - 2)), top = Math.max(2, y - tall - 12);
  pen.beginPath();
  pen.roundRect(left, top, wide, tall, 6);
  pen.fillStyle = "rgba(255, 255, 255, 0.92)";
  pen.fill();
  [pen.strokeStyle, pen.lineWidth] = [mark.colour, 1.5];
  pen.stroke();
  pen.fillStyle = "#22272d";
  pen.textBaseline = "middle";
  pen.fillText(mark.text, left + 6, top + tall / 2 + 1);
}
