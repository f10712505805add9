// A mask as a PNG file whose pixels are the classes' numbers, painted by its palette, as pixelwise-predict writes it.

/**
 * Labels as a PNG file, with the classes' names inside.
 * @param {Uint8Array} labels row by row
 * @param {number} width
 * @param {[string, string][]} classes name and colour of each, such as "#804080"
 * @returns {Promise<Blob>} the file
 */
export async function pngOf(labels, width, classes) {
  const height = labels.length / width;
  const rows = new Uint8Array(height * (width + 1)); // each row begins with the number of its filter, none
  for (let y = 0; y < height; y++) rows.set(labels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint16(8, 0x0803); // eight bits, palette
  const palette = classes.flatMap(([, colour]) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
  const names = `classes\0${classes.map(([name], label) => `${label} ${name}`).join(", ")}`;
  const deflated = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Blob(
    [
      Uint8Array.from("\x89PNG\r\n\x1a\n", (sign) => sign.charCodeAt(0)),
      chunk("IHDR", new Uint8Array(header.buffer)),
      chunk("PLTE", Uint8Array.from(palette)),
      chunk(
        "tEXt",
        Uint8Array.from(names, (sign) => sign.charCodeAt(0)),
      ),
      chunk("IDAT", new Uint8Array(await new Response(deflated).arrayBuffer())),
      chunk("IEND", new Uint8Array(0)),
    ],
    { type: "image/png" },
  );
}

function chunk(kind, content) {
  const all = new Uint8Array(content.length + 12);
  const view = new DataView(all.buffer);
  view.setUint32(0, content.length);
  all.set(
    Uint8Array.from(kind, (sign) => sign.charCodeAt(0)),
    4,
  );
  all.set(content, 8);
  view.setUint32(content.length + 8, checksum(all.subarray(4, content.length + 8)));
  return all;
}

// CRC-32, bit by bit: a mask is small once it is deflated
function checksum(content) {
  let sum = ~0;
  for (const byte of content) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
