/**
 * From what a person drew or photographed to the picture that a network reads: bright ink on black, cropped, scaled and centred as
 * MNIST's makers did it. It is `bnn encrypt --fit` (bnn/src/client/preparation), with `--invert` where the paper is bright.
 *
 * @module
 */

/** The side of the box that ink fills, and of the picture around it. */
const BOX_SIDE = 20;
const SIDE = 28;

/** A picture whose grey values differ by less than this has no ink. */
const INK_CONTRAST = 16;

/** The least that is taken for white, and the most that is taken for black, as the module has them. */
const LEAST_WHITE = 208;
const MOST_BLACK = 31;

/** The longest side of a picture that is looked at. Photographs are larger, to no use. */
const LONGEST = 800;

/**
 * Grey values row by row: 0 is black.
 *
 * @typedef {object} Picture
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array<ArrayBuffer>} pixels
 */

/**
 * The grey values of an image, on white where it is transparent.
 *
 * @param {ImageBitmap | HTMLImageElement} image
 * @returns {Picture}
 */
export function greyOf(image) {
  const [wide, high] = image instanceof HTMLImageElement ? [image.naturalWidth, image.naturalHeight] : [image.width, image.height];
  const scale = Math.min(1, LONGEST / Math.max(wide, high));
  const [width, height] = [wide, high].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  const picture = greyOfData(context.getImageData(0, 0, width, height));
  context.clearRect(0, 0, width, height);
  return picture;
}

/**
 * @param {ImageData} image
 * @returns {Picture}
 */
export function greyOfData({ width, height, data }) {
  const pixels = new Uint8Array(width * height);
  for (let place = 0; place < pixels.length; place += 1) {
    const at = 4 * place;
    pixels[place] = Math.round((2126 * data[at] + 7152 * data[at + 1] + 722 * data[at + 2]) / 10000);
  }
  data.fill(0);
  return { width, height, pixels };
}

/**
 * The picture with ink that is brighter than its paper, which is what is along the border.
 *
 * @param {Picture} picture
 * @returns {Picture}
 */
export function withBrightInk({ width, height, pixels }) {
  const { middle } = range(pixels);
  const border = pixels.filter((_, place) => {
    const [x, y] = [place % width, Math.floor(place / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  const bright = border.filter((grey) => grey > middle).length;
  return { width, height, pixels: 2 * bright > border.length ? pixels.map((grey) => 255 - grey) : pixels };
}

/**
 * The picture that a network of `width` x `height` pixels reads; undefined where there is no ink. One that has this size and range
 * already is left as it is.
 *
 * @param {Picture} picture With bright ink.
 * @param {number} width
 * @param {number} height
 * @returns {Picture | undefined}
 */
export function fit(picture, width, height) {
  const { least, greatest } = range(picture.pixels);
  if (greatest - least < INK_CONTRAST) return undefined;
  const isReady = picture.width === width && picture.height === height && least <= MOST_BLACK && greatest >= LEAST_WHITE;
  if (isReady) return { ...picture, pixels: picture.pixels.slice() };
  const { columns, rows } = crop(picture);
  const [across, down] = [columns.end - columns.start, rows.end - rows.start];
  const scale = Math.min(boxed(width) / across, boxed(height) / down);
  const scaled = (/** @type {number} */ side) => Math.max(1, Math.round(side * scale));
  return centre(scaleInk(picture, areas(columns, scaled(across)), areas(rows, scaled(down))), width, height);
}

/** @param {Uint8Array} pixels */
function range(pixels) {
  const least = pixels.reduce((a, b) => Math.min(a, b), 255);
  const greatest = pixels.reduce((a, b) => Math.max(a, b), 0);
  return { least, greatest, middle: Math.floor((least + greatest) / 2) };
}

/** The side of the box in a side of the picture. @param {number} side */
function boxed(side) {
  return Math.max(1, Math.floor((side * BOX_SIDE + SIDE / 2) / SIDE));
}

/**
 * The columns and rows between the outermost ink.
 *
 * @param {Picture} picture
 */
function crop({ width, height, pixels }) {
  const { middle } = range(pixels);
  const [columns, rows] = [{ start: width, end: 0 }, { start: height, end: 0 }];
  pixels.forEach((grey, place) => {
    if (grey <= middle) return;
    for (const [side, at] of /** @type {const} */ ([[columns, place % width], [rows, Math.floor(place / width)]])) {
      side.start = Math.min(side.start, at);
      side.end = Math.max(side.end, at + 1);
    }
  });
  return { columns, rows };
}

/**
 * A line of pixels as `count` equal areas: of each, its pixels with their shares of the area.
 *
 * @param {{ start: number, end: number }} line
 * @param {number} count
 */
function areas({ start, end }, count) {
  const size = (end - start) / count;
  return Array.from({ length: count }, (_, place) => {
    const [from, to] = [place * size, (place + 1) * size];
    const area = [];
    for (let pixel = Math.floor(from); pixel < Math.min(Math.ceil(to), end - start); pixel += 1) {
      area.push({ pixel: start + pixel, share: (Math.min(to, pixel + 1) - Math.max(from, pixel)) / size });
    }
    return area;
  });
}

/**
 * A pixel for each area: its share of ink, of 255. Grey values up to a quarter of the picture's range are paper, and those from three
 * quarters on are ink.
 *
 * @param {Picture} picture
 * @param {ReturnType<typeof areas>} across
 * @param {ReturnType<typeof areas>} down
 * @returns {Picture}
 */
function scaleInk({ width, pixels }, across, down) {
  const { least, greatest } = range(pixels);
  const ink = (/** @type {number} */ grey) => Math.min(1, Math.max(0, (2 * (grey - least)) / (greatest - least) - 0.5));
  const line = (/** @type {number} */ row, /** @type {typeof across[0]} */ area) =>
    area.reduce((sum, { pixel, share }) => sum + share * ink(pixels[row * width + pixel]), 0);
  const scaled = new Uint8Array(across.length * down.length);
  down.forEach((rows, y) =>
    across.forEach((columns, x) => {
      const whole = rows.reduce((sum, { pixel, share }) => sum + share * line(pixel, columns), 0);
      scaled[y * across.length + x] = Math.round(255 * whole);
    }),
  );
  return { width: across.length, height: down.length, pixels: scaled };
}

/**
 * The picture in one of `width` x `height`, its centre of mass on the pixel in the middle (the second of two middle ones, as in
 * MNIST) as far as it then lies within.
 *
 * @param {Picture} part
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
function centre(part, width, height) {
  let [mass, across, down] = [0, 0, 0];
  part.pixels.forEach((grey, place) => {
    mass += grey;
    across += grey * (place % part.width);
    down += grey * Math.floor(place / part.width);
  });
  const offset = (/** @type {number} */ whole, /** @type {number} */ side, /** @type {number} */ middle) =>
    Math.min(Math.max(0, Math.round(Math.floor(whole / 2) - middle)), whole - side);
  const [left, top] = [offset(width, part.width, across / mass), offset(height, part.height, down / mass)];
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < part.height; y += 1) {
    pixels.set(part.pixels.subarray(y * part.width, (y + 1) * part.width), (top + y) * width + left);
  }
  part.pixels.fill(0);
  return { width, height, pixels };
}
