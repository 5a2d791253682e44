// What each class of frames looks like. Within a class the shade follows the name, so equal names look equal everywhere.
import { CLASSES } from './frame_classes.js';

const SHADES = 8;
const FILLS = CLASSES.length * SHADES;

// How much of a fill's colour is left: plain, of the callers of the zoomed frame, of frames a search does not match.
const STRENGTHS = [1, 0.55, 0.36];

// Per class: hue, spread of the hue, chroma, and lightness in the light and in the dark theme, all in OKLCH. Classes of one
// family stand close together: whose JavaScript, V8, libraries, other languages.
const LOOKS = {
  none: [59, 26, 0.105, 0.85, 0.47],
  app: [142, 14, 0.11, 0.85, 0.45],
  deps: [190, 10, 0.085, 0.86, 0.45],
  core: [232, 12, 0.08, 0.85, 0.46],
  init: [216, 6, 0.05, 0.88, 0.43],
  native: [352, 10, 0.075, 0.86, 0.46],
  eval: [122, 6, 0.09, 0.88, 0.47],
  regexp: [336, 6, 0.08, 0.85, 0.46],
  wasm: [170, 8, 0.085, 0.85, 0.43],
  v8: [312, 12, 0.085, 0.84, 0.47],
  interpreter: [298, 8, 0.055, 0.88, 0.43],
  libuv: [26, 6, 0.08, 0.85, 0.47],
  openssl: [12, 6, 0.07, 0.86, 0.45],
  libc: [38, 8, 0.06, 0.88, 0.43],
  cpp: [62, 20, 0.105, 0.85, 0.47],
  inlined: [106, 6, 0.105, 0.91, 0.5],
  kernel: [268, 16, 0.08, 0.82, 0.45],
  jvm: [156, 12, 0.09, 0.86, 0.44],
  go: [200, 8, 0.08, 0.87, 0.45],
  rust: [48, 10, 0.1, 0.84, 0.46],
  python: [90, 8, 0.1, 0.89, 0.48],
  unresolved: [250, 0, 0.006, 0.83, 0.44],
  process: [250, 0, 0.012, 0.87, 0.41],
  all: [250, 0, 0.008, 0.9, 0.37],
};
const THEMES = {
  light: { text: '#2a2420', surface: '#ffffff', surfaceLightness: 1, match: '#f259c3', accent: '#2457d6' },
  dark: { text: '#f2efec', surface: '#16181d', surfaceLightness: 0.21, match: '#c0208f', accent: '#8ab4ff' },
};

/** OKLCH to a hexadecimal sRGB colour, cut to what a screen shows. */
function hex(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const channels = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${channels.map((linear) => {
    const part = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, part))).toString(16).padStart(2, '0');
  }).join('')}`;
}

function fill([hue, spread, chroma, light, dark], step, theme, strength) {
  const offset = step / (SHADES - 1) - 0.5;
  const lightness = (theme === 'dark' ? dark : light) + offset * 0.05;
  const surface = THEMES[theme].surfaceLightness;
  return hex(surface + strength * (lightness - surface), chroma * strength, hue + offset * spread);
}

/** Number 0 … SHADES-1 from a name: FNV-1a over its UTF-16 units, at most the first 64. */
function shadeOf(name) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length && i < 64; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return ((hash >>> 16) ^ hash) & (SHADES - 1);
}

export class Colours {
  // Offsets to add to a frame's fill.
  static PLAIN = 0;
  static CALLER = FILLS;
  static UNMATCHED = 2 * FILLS;

  constructor(tree, theme) {
    Object.assign(this, THEMES[theme]);
    const { names, classes } = tree.frames;
    this.fillOfFrame = Uint16Array.from(names, (name, frame) => classes[frame] * SHADES + shadeOf(name));
    this.fills = STRENGTHS.flatMap((strength) => CLASSES.flatMap((name) =>
      Array.from({ length: SHADES }, (_, step) => fill(LOOKS[name], step, theme, strength))));
    this.matchFill = this.fills.push(this.match) - 1;
  }

  /** The middle fill of a class, for the legend and for frames too narrow to tell apart. */
  static fillOfClass(frameClass) {
    return frameClass * SHADES + SHADES / 2;
  }

  ofClass(frameClass) {
    return this.fills[Colours.fillOfClass(frameClass)];
  }
}
