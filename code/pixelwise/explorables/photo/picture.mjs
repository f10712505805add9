// A picture of the reader's own: from whatever was chosen to pixels, and made as small as the network wants it.
import { penOf } from "../shared/canvas.mjs";
import { h } from "../shared/dom.mjs";

const LARGEST = 2_000_000; // pixels that are kept; a larger picture is made smaller when it is read
const [SMALLEST_SIDE, LONGEST_SIDE, MOST_TIMES] = [32, 4096, 4]; // as in pixelwise.evaluation.pictures

/**
 * The pixels of a file, upright and on white where it is transparent. Throws one line for a file that is no picture.
 * @param {Blob} file
 * @returns {Promise<{ canvas: HTMLCanvasElement, full: number[] }>} the picture and the [height, width] it came with
 */
export async function decoded(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(await refusal(file));
  }
  return painted(bitmap, bitmap.height, bitmap.width);
}

/**
 * What a browser can draw, on a canvas of at most LARGEST pixels.
 * @param {CanvasImageSource} image
 * @param {number} height
 * @param {number} width
 * @returns {{ canvas: HTMLCanvasElement, full: number[] }} the picture and the [height, width] it came with
 */
export function painted(image, height, width) {
  const factor = Math.min(1, Math.sqrt(LARGEST / (height * width)));
  const [rows, columns] = [height, width].map((side) => Math.max(1, Math.floor(side * factor)));
  const canvas = h("canvas", { width: columns, height: rows });
  canvas.getContext("2d", { willReadFrequently: true }); // for each network that is asked
  const pen = penOf(canvas);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, columns, rows);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, columns, rows);
  return { canvas, full: [height, width] };
}

// Why a file can't be shown, by its first bytes
async function refusal(file) {
  let head;
  try {
    head = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  } catch {
    return "The file can't be read: is it still where it was?";
  }
  if (!head) return "The file is empty.";
  if (/^.{4}ftyp(hei|hev|mif1|msf1)/s.test(head))
    return "This is a HEIC picture, as iPhones take them, and this browser can't read it: save or export it as JPEG.";
  if (/^(\xff\xd8|\x89PNG|GIF8|BM|RIFF.{4}WEBP|.{4}ftypavi)/s.test(head))
    return "The picture is damaged, incomplete, or too large for this browser: save it again, or a smaller copy.";
  return "This is no picture that the browser can read: choose a JPEG, PNG, WebP, AVIF, GIF or BMP.";
}

/**
 * The size at which a network is shown a picture: its own shape, its shorter side that of the training pictures; less
 * where that would be more than four training pictures in pixels.
 * @param {number[]} size height and width of the picture
 * @param {number[]} trained those of the training pictures
 * @returns {number[]} height and width
 */
export function workingSize(size, trained) {
  const most = Math.sqrt((MOST_TIMES * trained[0] * trained[1]) / (size[0] * size[1]));
  const factor = Math.min(Math.min(...trained) / Math.min(...size), most);
  return size.map((side) => Math.min(Math.max(evenly(side * factor), SMALLEST_SIDE), LONGEST_SIDE));
}

// A half goes to the even neighbour, as Python rounds
function evenly(value) {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

/**
 * A picture at another size, each pixel a weighted mean of those below it, as Pillow's bilinear filter makes it.
 * @param {{ data: Uint8ClampedArray, height: number, width: number }} pixels red, green, blue and opacity
 * @param {number[]} size height and width
 * @returns {Uint8ClampedArray} red, green, blue and opacity
 */
export function resample({ data, height, width }, [rows, columns]) {
  const wide = new Uint8ClampedArray(height * columns * 4);
  weigh(width, columns).forEach(({ first, weights }, x) => {
    for (let y = 0; y < height; y++)
      for (let c = 0; c < 4; c++) {
        let sum = 0;
        for (let k = 0, at = (y * width + first) * 4 + c; k < weights.length; k++, at += 4)
          sum += weights[k] * data[at];
        wide[(y * columns + x) * 4 + c] = sum;
      }
  });
  const out = new Uint8ClampedArray(rows * columns * 4);
  weigh(height, rows).forEach(({ first, weights }, y) => {
    for (let i = 0; i < columns * 4; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * wide[(first + k) * columns * 4 + i];
      out[y * columns * 4 + i] = sum;
    }
  });
  return out;
}

// For each of `after` places along a side the first of `before` that counts, and the weights from there
function weigh(before, after) {
  const scale = before / after;
  const reach = Math.max(scale, 1);
  return Array.from({ length: after }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(before, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: end - first }, (__, k) =>
      Math.max(0, 1 - Math.abs((first + k - centre + 0.5) / reach)),
    );
    const sum = raw.reduce((all, one) => all + one, 0);
    return { first, weights: raw.map((one) => one / sum) };
  });
}
