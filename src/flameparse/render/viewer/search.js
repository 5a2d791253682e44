// Which frames a pattern matches. The pattern is tried once per distinct name; the nodes follow by table look-up.

/** Compile what was typed; throws a SyntaxError with the browser's reason when it is not a regular expression. */
export function compilePattern(text, matchCase) {
  return new RegExp(text, matchCase ? '' : 'i');
}

export class Matches {
  constructor(tree, pattern) {
    this.tree = tree;
    this.byFrame = new Uint8Array(tree.names.length);
    for (let i = 1; i < tree.names.length; i++) this.byFrame[i] = pattern.test(tree.names[i]) ? 1 : 0;
  }

  has(node) {
    return this.byFrame[this.tree.frame[node]] === 1;
  }

  /** Whether any node in a run of `level` matches. */
  hasInLevel(from, to) {
    const { levelFrame } = this.tree;
    for (let k = from; k < to; k++) if (this.byFrame[levelFrame[k]]) return true;
    return false;
  }

  /** Weight of the stacks through `outer` that hold a match, each stack once, and how many frames match. */
  within(outer) {
    const { tree, byFrame } = this;
    const { frame, end, start } = tree;
    let [weight, frames, counted] = [0, 0, outer];
    for (let node = tree.parent(outer); node >= 0 && counted === outer; node = tree.parent(node)) {
      if (this.has(node)) [weight, counted] = [tree.total(outer), tree.end[outer]];
    }
    for (let i = outer, last = end[outer]; i < last; i++) {
      if (!byFrame[frame[i]]) continue;
      frames++;
      if (i < counted) continue;
      weight += start[end[i]] - start[i];
      counted = end[i];
    }
    return { weight, frames };
  }

  /** The outermost matches inside a subtree, heaviest first. */
  outermost(outer) {
    const { tree, byFrame } = this;
    const found = [];
    for (let i = outer; i < tree.end[outer]; ) {
      const matches = byFrame[tree.frame[i]];
      if (matches) found.push(i);
      i = matches ? tree.end[i] : i + 1;
    }
    return found.sort((a, b) => tree.total(b) - tree.total(a) || a - b);
  }
}
