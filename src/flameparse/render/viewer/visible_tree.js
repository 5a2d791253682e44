// What is left of a call tree when classes of frames are hidden, V8's tiers joined, the interpreter's frames counted as the
// functions they run. A frame that goes leaves its weight and its callees to its caller; callees of one name become one.
// These are the rules of the program's own passes, so that what it prints of a document is what the page of it shows.
import { CallTree } from './call_tree.js';

// What a frame is to the frames of the interpreter that it calls.
const OTHER = 0;
const COMPILED = 2;
const TRAMPOLINE = 3;
const HANDLER = 4;

/** Whether a frame of the interpreter belongs to its caller's frame: a trampoline below compiled code is another function. */
function isPartOf(role, caller) {
  if (role === HANDLER) return caller !== OTHER;
  return role === TRAMPOLINE && caller !== OTHER && caller !== COMPILED;
}

/**
 * @param whole a tree as embedded
 * @param hidden by frame, 1 where it is hidden
 * @param options whether versions of a function are one, and whether the interpreter's frames are their function's
 */
export function visibleTree(whole, hidden, { mergesTiers, collapsesInterpreter }) {
  const frames = mergesTiers ? withoutTiers(whole.frames) : whole.frames;
  const rank = mergesTiers ? ranksOf(frames.names.map(sortKey), false) : ranksOf(frames.names, true);
  const nodes = takeOut(whole, hidden, rank, collapsesInterpreter);
  const place = preOrder(nodes, rank.length);

  const { count, parent, self, exactSelf } = nodes;
  const shown = {
    depth: new Uint32Array(count),
    frame: new Uint32Array(count),
    self: new Float64Array(count),
    exactSelf: exactSelf && new BigUint64Array(count),
  };
  const origin = { nodes: new Uint32Array(count), shownAs: nodes.shownAs };
  for (let i = 0; i < count; i++) {
    const at = place[i];
    if (i) shown.depth[at] = shown.depth[place[parent[i]]] + 1;
    shown.frame[at] = whole.frame[nodes.origin[i]];
    shown.self[at] = exactSelf ? Number(exactSelf[i]) : self[i];
    if (exactSelf) shown.exactSelf[at] = exactSelf[i];
    origin.nodes[at] = nodes.origin[i];
  }
  for (let i = 0; i < whole.size; i++) origin.shownAs[i] = place[origin.shownAs[i]];
  return new CallTree(whole, frames, shown, origin);
}

/** Whether some caller has two callees of one name, as an embedded tree may: only a visible tree joins them. */
export function hasTwins(whole) {
  const rank = ranksOf(whole.names, true);
  const { level, levelFrame, end } = whole;
  for (let k = 2; k < whole.size; k++) {
    if (end[level[k - 1]] === level[k] && rank[levelFrame[k - 1]] === rank[levelFrame[k]]) return true;
  }
  return false;
}

function withoutTiers(frames) {
  const tiers = frames.tiers.map((tier, frame) => (frames.withoutTier[frame] === frames.names[frame] ? tier : 0));
  return { ...frames, names: frames.withoutTier, tiers };
}

/** A name whose UTF-16 units sort as the name's code points, and so its bytes, do: with surrogates behind all other units. */
function sortKey(name) {
  return name.replace(/[\ud800-\uffff]/g, (unit) => String.fromCharCode(unit.charCodeAt(0) + (unit < '\ue000' ? 0x2000 : -0x800)));
}

/** The place of each name among the distinct names in order; embedded names stand in order. */
function ranksOf(names, inOrder) {
  const distinct = [...new Set(names)];
  const places = new Map((inOrder ? distinct : distinct.sort()).map((name, place) => [name, place]));
  return Uint32Array.from(names, (name) => places.get(name));
}

/** Walk the whole tree and make the nodes that stay, in the order they are met: a caller before its callees. */
function takeOut(whole, hidden, rank, collapsesInterpreter) {
  const { size, depth, frame, start, frames: { roles } } = whole;
  const nodes = {
    count: 1,
    parent: new Uint32Array(size),
    rank: new Uint32Array(size),
    self: new Float64Array(size),
    exactSelf: whole.exactSelf && new BigUint64Array(size),
    origin: new Uint32Array(size),
    shownAs: new Uint32Array(size),
  };
  // Open addressing: of (caller, name) the node, 0 where there is none.
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * size)));
  const mask = slots.length - 1;
  const openNode = new Uint32Array(whole.deepest + 1);
  const openRole = new Uint8Array(whole.deepest + 1);
  for (let i = 0; i < size; i++) {
    const d = depth[i];
    let node = d && openNode[d - 1];
    let role = d ? openRole[d - 1] : OTHER;
    const own = frame[i];
    if (d && !hidden[own] && !(collapsesInterpreter && isPartOf(roles[own], role))) {
      const caller = node;
      role = roles[own];
      let slot = (Math.imul(caller, 0x9e3779b1) ^ Math.imul(rank[own], 0x85ebca6b)) >>> 0;
      for (slot = (slot ^ (slot >>> 15)) & mask; (node = slots[slot]); slot = (slot + 1) & mask) {
        if (nodes.parent[node] === caller && nodes.rank[node] === rank[own]) break;
      }
      if (!node) {
        node = slots[slot] = nodes.count++;
        nodes.parent[node] = caller;
        nodes.rank[node] = rank[own];
        nodes.origin[node] = i;
      }
    }
    openNode[d] = node;
    openRole[d] = role;
    nodes.shownAs[i] = node;
    if (whole.exactSelf) nodes.exactSelf[node] += whole.exactSelf[i];
    nodes.self[node] += start[i + 1] - start[i];
  }
  return nodes;
}

/** Give each node its place in pre-order, callees of one caller by name. */
function preOrder({ count, parent, rank }, rankCount) {
  const byName = sortedBy(rank, rankCount, Uint32Array.from({ length: count }, (_, i) => i));
  const byCaller = sortedBy(parent, count, byName);
  const sizes = new Uint32Array(count).fill(1);
  for (let i = count - 1; i > 0; i--) sizes[parent[i]] += sizes[i];
  const place = new Uint32Array(count);
  const nextFree = new Uint32Array(count);
  nextFree[0] = 1;
  for (const node of byCaller) {
    if (!node) continue;
    place[node] = nextFree[parent[node]];
    nextFree[parent[node]] += sizes[node];
    nextFree[node] = place[node] + 1;
  }
  return place;
}

/** Order numbers by their keys, those of equal keys as they stand. */
function sortedBy(keys, keyCount, numbers) {
  const next = new Uint32Array(keyCount + 1);
  for (const number of numbers) next[keys[number] + 1]++;
  for (let key = 0; key < keyCount; key++) next[key + 1] += next[key];
  const sorted = new Uint32Array(numbers.length);
  for (const number of numbers) sorted[next[keys[number]]++] = number;
  return sorted;
}
