// The call tree as columns. Node 0 stands for the whole profile, the embedded nodes follow from 1 in pre-order: the subtree of
// node i is the range i … end[i]-1. `start` is the running sum of self weights, so node i covers the stretch
// start[i] … start[end[i]] of the horizontal axis, its own weight at the left. A level is the nodes of one depth, left to right.
import { cutColumns, unpackBigNumbers, unpackNumbers } from './columns.js';

export const KINDS = ['user', 'kernel', 'jit', 'inlined', 'process', 'all'];
const ALL = KINDS.indexOf('all');

export class CallTree {
  /**
   * @param profile the embedded description: event, unit, total and bare weight (decimal text), how many nodes and distinct
   *   calls, sizes of the columns in bytes
   * @param bytes the columns end to end: names (one a line) and kinds of the frames, which frame calls which, and of each
   *   node its rank among its caller's callees, how many nodes end before it, its self weight
   */
  constructor(profile, bytes) {
    const [names, kinds, callees, ranks, pops, self] = cutColumns(bytes, profile.sizes);
    this.event = profile.event;
    this.unit = profile.unit;
    this.size = profile.nodes + 1;
    this.names = profile.nodes ? ['all', ...new TextDecoder().decode(names).split('\n')] : ['all'];
    this.kinds = new Uint8Array(kinds.length + 1);
    this.kinds[0] = ALL;
    this.kinds.set(kinds, 1);
    this.#shape(unpackNumbers(pops, new Uint32Array(this.size), 1));
    this.#nameNodes(
      unpackNumbers(callees, new Uint32Array(profile.calls + this.kinds.length), 0),
      unpackNumbers(ranks, new Uint32Array(this.size), 1),
    );
    this.#weigh(profile, self);
  }

  #shape(depth) {
    let deepest = 0;
    for (let i = 1; i < this.size; i++) {
      depth[i] = depth[i - 1] + 1 - depth[i];
      if (depth[i] > deepest) deepest = depth[i];
    }
    const levelStart = new Uint32Array(deepest + 2);
    for (let i = 0; i < this.size; i++) levelStart[depth[i] + 1]++;
    for (let d = 0; d <= deepest; d++) levelStart[d + 1] += levelStart[d];
    const cursor = levelStart.slice();
    const level = new Uint32Array(this.size);
    const end = new Uint32Array(this.size).fill(this.size);
    for (let i = 0; i < this.size; i++) {
      for (let d = depth[i]; i && d <= depth[i - 1]; d++) end[level[cursor[d] - 1]] = i;
      level[cursor[depth[i]]++] = i;
    }
    Object.assign(this, { depth, deepest, levelStart, level, end });
  }

  /** Turn ranks into frames in place, with a table that lists per caller's frame how many callees it has and their gaps. */
  #nameNodes(table, ranks) {
    const first = new Uint32Array(this.kinds.length);
    for (let caller = 0, at = 0; caller < first.length; caller++) {
      const last = at + table[at];
      first[caller] = at + 1;
      for (at += 2; at <= last; at++) table[at] += table[at - 1];
      at = last + 1;
    }
    const open = new Uint32Array(this.deepest + 1);
    for (let i = 1; i < this.size; i++) {
      const caller = open[this.depth[i] - 1];
      open[this.depth[i]] = ranks[i] = table[first[caller] + ranks[i]];
    }
    this.frame = ranks;
    this.levelFrame = new Uint32Array(this.size);
    for (let k = 0; k < this.size; k++) this.levelFrame[k] = ranks[this.level[k]];
  }

  #weigh(profile, self) {
    const exactTotal = BigInt(profile.total);
    const bare = BigInt(profile.bare);
    this.start = unpackNumbers(self, new Float64Array(this.size + 1), 2);
    this.start[1] = Number(bare);
    this.selfByKind = new Float64Array(KINDS.length);
    for (let i = 0; i < this.size; i++) {
      this.selfByKind[this.kinds[this.frame[i]]] += this.start[i + 1];
      this.start[i + 1] += this.start[i];
    }
    if (exactTotal > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.exactSelf = unpackBigNumbers(self, new BigUint64Array(this.size), 1);
      this.exactSelf[0] = bare;
    }
  }

  name(node) {
    return this.names[this.frame[node]];
  }

  kind(node) {
    return this.kinds[this.frame[node]];
  }

  total(node) {
    return this.start[this.end[node]] - this.start[node];
  }

  /** The weight of a node with (or, with `selfOnly`, without) its callees, exact: a BigInt where doubles would round. */
  exactWeight(node, selfOnly = false) {
    const end = selfOnly ? node + 1 : this.end[node];
    if (!this.exactSelf) return this.start[end] - this.start[node];
    let sum = 0n;
    for (let i = node; i < end; i++) sum += this.exactSelf[i];
    return sum;
  }

  /** Depth of the deepest node in a subtree. */
  deepestWithin(node) {
    let deepest = 0;
    for (let i = node; i < this.end[node]; i++) if (this.depth[i] > deepest) deepest = this.depth[i];
    return deepest;
  }

  /** First index in [from, to) of `level` whose node ends after a position; the nodes of a level end in order. */
  firstEndingAfter(position, from, to) {
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.start[this.end[this.level[middle]]] > position) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** First index in [from, to) of `level` whose node starts at or after a position, found by steps that double. */
  firstStartingAt(position, from, to) {
    let step = 1;
    while (from + step < to && this.start[this.level[from + step]] < position) {
      from += step;
      step *= 2;
    }
    to = Math.min(to, from + step);
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.start[this.level[middle]] >= position) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** The node of a depth that covers a position, or -1. */
  nodeAt(depth, position) {
    if (depth < 0 || depth > this.deepest) return -1;
    const to = this.levelStart[depth + 1];
    const index = this.firstEndingAfter(position, this.levelStart[depth], to);
    return index < to && this.start[this.level[index]] <= position ? this.level[index] : -1;
  }

  /** Index of a node in `level`. */
  levelIndex(node) {
    let from = this.levelStart[this.depth[node]];
    let to = this.levelStart[this.depth[node] + 1];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.level[middle] >= node) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** The node of a smaller or equal depth that a node lies in. */
  ancestor(node, depth) {
    let from = this.levelStart[depth];
    let to = this.levelStart[depth + 1];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.level[middle] > node) to = middle;
      else from = middle + 1;
    }
    return this.level[from - 1];
  }

  parent(node) {
    return node ? this.ancestor(node, this.depth[node] - 1) : -1;
  }

  /** The child with the largest weight, or -1. */
  heaviestChild(node) {
    let heaviest = -1;
    for (let child = node + 1; child < this.end[node]; child = this.end[child]) {
      if (heaviest < 0 || this.total(child) > this.total(heaviest)) heaviest = child;
    }
    return heaviest;
  }

  isWithin(node, outer) {
    return node >= outer && node < this.end[outer];
  }
}
