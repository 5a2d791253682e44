// The call tree as columns. Node 0 stands for the whole profile, the embedded nodes follow from 1 in pre-order: the subtree of
// node i is the range i … end[i]-1. `start` is the running sum of self weights, so node i covers the stretch
// start[i] … start[end[i]] of the horizontal axis, its own weight at the left. A level is the nodes of one depth, left to right.
import { CLASSES } from './frame_classes.js';

export class CallTree {
  /**
   * @param profile what the weights are: event and unit
   * @param frames columns of the distinct frames: names, classes, tiers, and what a view needs to know; frame 0 is the whole
   * @param nodes columns in pre-order: depth, frame, self weight, and the latter in whole numbers where doubles would round
   * @param origin in a tree made from another: of each node here one there, and of each node there the one here that shows it
   */
  constructor({ event, unit }, frames, { depth, frame, self, exactSelf }, origin = null) {
    Object.assign(this, { event, unit, frames, depth, frame, exactSelf, origin });
    this.size = depth.length;
    this.names = frames.names;
    this.#shape();
    this.#weigh(self);
  }

  #shape() {
    const { depth, frame, size } = this;
    let deepest = 0;
    for (let i = 1; i < size; i++) if (depth[i] > deepest) deepest = depth[i];
    const levelStart = new Uint32Array(deepest + 2);
    for (let i = 0; i < size; i++) levelStart[depth[i] + 1]++;
    for (let d = 0; d <= deepest; d++) levelStart[d + 1] += levelStart[d];
    const cursor = levelStart.slice();
    const level = new Uint32Array(size);
    const end = new Uint32Array(size).fill(size);
    for (let i = 0; i < size; i++) {
      for (let d = depth[i]; i && d <= depth[i - 1]; d++) end[level[cursor[d] - 1]] = i;
      level[cursor[depth[i]]++] = i;
    }
    const levelFrame = new Uint32Array(size);
    for (let k = 0; k < size; k++) levelFrame[k] = frame[level[k]];
    Object.assign(this, { deepest, levelStart, level, levelFrame, end });
  }

  #weigh(self) {
    this.start = new Float64Array(this.size + 1);
    this.selfByClass = new Float64Array(CLASSES.length);
    for (let i = 0; i < this.size; i++) {
      this.selfByClass[this.frameClass(i)] += self[i];
      this.start[i + 1] = this.start[i] + self[i];
    }
  }

  /** Of a node here, the node of the whole tree that it was made from. */
  originOf(node) {
    return this.origin ? this.origin.nodes[node] : node;
  }

  /** Of a node of the whole tree, the node here that it is, or its caller's if it is not shown. */
  showing(node) {
    return this.origin ? this.origin.shownAs[node] : node;
  }

  name(node) {
    return this.names[this.frame[node]];
  }

  frameClass(node) {
    return this.frames.classes[this.frame[node]];
  }

  tier(node) {
    return this.frames.tiers[this.frame[node]];
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
