// Drawing on a canvas.

/**
 * The context that draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D} the pen
 */
export function penOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Fill a square.
 * @param {CanvasRenderingContext2D} pen
 * @param {number[]} corner x and y of its top left, in canvas pixels
 * @param {number} side
 * @returns {void}
 */
export function fillSquare(pen, [x, y], side) {
  pen.fillRect(x, y, side, side);
}

/**
 * Frame a square with lines of several colours, a broad one below a narrow one, so that it stands out on any ground.
 * @param {CanvasRenderingContext2D} pen
 * @param {number[]} corner x and y of its top left, in canvas pixels
 * @param {number} side
 * @param {Record<string, number>} lines width of each colour's
 * @returns {void}
 */
export function outline(pen, [x, y], side, lines) {
  for (const [colour, width] of Object.entries(lines)) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.strokeRect(x, y, side, side);
  }
}
