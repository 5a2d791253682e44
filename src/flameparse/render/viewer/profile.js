// The profile embedded in the page -> its call tree, whole.
import { CallTree } from './call_tree.js';
import { cutColumns, unpackBigNumbers, unpackNumbers } from './columns.js';
import { ALL } from './frame_classes.js';

/**
 * @param profile the embedded description: event, unit, total and bare weight (decimal text), how many nodes and distinct
 *   calls, sizes of the columns in bytes
 * @param bytes the columns end to end: names (one a line), classes, tiers, presets and roles of the frames, which frame
 *   calls which, and of each node its rank among its caller's callees, how many nodes end before it, its self weight
 */
export function readTree(profile, bytes) {
  const [lines, classes, tiers, presets, roles, callees, ranks, pops, self] = cutColumns(bytes, profile.sizes);
  const size = profile.nodes + 1;
  const frames = {
    names: ['all'],
    classes: afterWhole(classes, ALL),
    tiers: afterWhole(tiers, 0),
    presets: afterWhole(presets, 0),
    roles: afterWhole(roles, 0),
    withoutTier: ['all'],
  };
  for (const line of profile.nodes ? new TextDecoder().decode(lines).split('\n') : []) {
    const [name, other = name] = line.split('\t');
    frames.names.push(name);
    frames.withoutTier.push(other);
  }

  const depth = unpackNumbers(pops, new Uint32Array(size), 1);
  for (let i = 1; i < size; i++) depth[i] = depth[i - 1] + 1 - depth[i];

  const table = unpackNumbers(callees, new Uint32Array(profile.calls + frames.names.length), 0);
  const frame = framesOfRanks(table, unpackNumbers(ranks, new Uint32Array(size), 1), depth, frames.names.length);

  const weights = unpackNumbers(self, new Float64Array(size), 1);
  weights[0] = Number(profile.bare);
  let exactSelf = null;
  if (BigInt(profile.total) > BigInt(Number.MAX_SAFE_INTEGER)) {
    exactSelf = unpackBigNumbers(self, new BigUint64Array(size), 1);
    exactSelf[0] = BigInt(profile.bare);
  }
  return new CallTree(profile, frames, { depth, frame, self: weights, exactSelf });
}

/** A column of the frames, with a value for frame 0 before it. */
function afterWhole(column, whole) {
  const all = new Uint8Array(column.length + 1);
  all[0] = whole;
  all.set(column, 1);
  return all;
}

/** Turn ranks into frames in place, with a table that lists per caller's frame how many callees it has and their gaps. */
function framesOfRanks(table, ranks, depth, frameCount) {
  const first = new Uint32Array(frameCount);
  for (let caller = 0, at = 0; caller < frameCount; caller++) {
    const last = at + table[at];
    first[caller] = at + 1;
    for (at += 2; at <= last; at++) table[at] += table[at - 1];
    at = last + 1;
  }
  const open = [0];
  for (let i = 1; i < ranks.length; i++) {
    open[depth[i]] = ranks[i] = table[first[open[depth[i] - 1]] + ranks[i]];
  }
  return ranks;
}
