// What a frame is, in the document's numbers, and in words. The last two are the page's: labels of processes, and the whole.

export const CLASSES = [
  'none', 'app', 'deps', 'core', 'native', 'inlined', 'regexp', 'wasm', 'eval', 'v8', 'interpreter', 'libuv', 'openssl',
  'libc', 'cpp', 'kernel', 'init', 'jvm', 'go', 'rust', 'python', 'unresolved', 'process', 'all',
];
export const PROCESS = CLASSES.indexOf('process');
export const ALL = CLASSES.indexOf('all');

const WASM = CLASSES.indexOf('wasm');
const TIERS = [
  '', 'interpreted (Ignition)', 'baseline (Sparkplug)', 'mid-tier (Maglev)', 'optimised (TurboFan)', 'experimental tier',
];
const WASM_TIERS = { 2: 'baseline (Liftoff)' };
const TIER_MASK = 0x0f;
const MARKS = [[0x10, 'entered in a loop'], [0x20, 'for one context']];

export const labelOfClass = (frameClass) => (frameClass ? CLASSES[frameClass] : 'unclassified');

/** Say what a frame is and which compiler made its code: `app · optimised (TurboFan)`. */
export function frameWords(frameClass, tier) {
  const compiler = (frameClass === WASM && WASM_TIERS[tier & TIER_MASK]) || TIERS[tier & TIER_MASK];
  const marks = MARKS.filter(([bit]) => tier & bit).map(([, words]) => words);
  return [labelOfClass(frameClass), [compiler, ...marks].filter(Boolean).join(', ')].filter(Boolean).join(' · ');
}
