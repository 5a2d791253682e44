// Drawing and hit testing. A viewport-sized canvas shows the rows that are scrolled into view; each row costs its pixels, not
// its frames: the first visible frame is found by bisection and frames narrower than a pixel are passed over in one jump.
// Rectangles are gathered by colour and painted colour by colour, since changing the colour costs more than a rectangle.
import { Colours } from './colours.js';

export const ROW = 19;
const EDGE = 6;
const LABEL_ROOM = 30;
const LABEL_INSET = 5;
const LONGEST_LABEL = 400;
const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

export class FlameCanvas {
  /**
   * @param frames the canvas of the graph
   * @param marks the canvas over it for what moves with the pointer
   */
  constructor(frames, marks) {
    this.frames = frames;
    this.marks = marks;
    this.context = frames.getContext('2d', { alpha: false });
    this.marksContext = marks.getContext('2d');
    this.scrollTop = 0;
  }

  /** Fit the canvases to a viewport in CSS pixels and the screen's pixel ratio. */
  resize(width, height, ratio) {
    Object.assign(this, { width, height, ratio });
    for (const canvas of [this.frames, this.marks]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    this.font = `${12 * ratio}px ${FONT}`;
    this.labelWidths = null;
    this.ellipsis = null;
  }

  /** Say what to draw: the tree, its colours, the zoomed node, the matches or null, and whether the root is at the top. */
  show({ tree, colours, zoom, matches, icicle }) {
    if (tree !== this.tree) this.labelWidths = null;
    if (tree !== this.tree || zoom !== this.zoom) this.rows = tree.deepestWithin(zoom) + 1;
    Object.assign(this, { tree, colours, zoom, matches, icicle });
    this.from = tree.start[zoom];
    this.span = tree.total(zoom);
  }

  get contentHeight() {
    return Math.max(this.height, this.rows * ROW + 2 * EDGE);
  }

  /** Top of a row in the viewport, CSS pixels. */
  rowTop(depth) {
    const inContent = this.icicle ? EDGE + depth * ROW : this.contentHeight - EDGE - (depth + 1) * ROW;
    return inContent - this.scrollTop;
  }

  /** Place of a node in the viewport, CSS pixels, cut at its sides. */
  rectOf(node) {
    const { tree, from, span, width } = this;
    const left = Math.max(0, ((tree.start[node] - from) / span) * width);
    const right = Math.min(width, ((tree.start[tree.end[node]] - from) / span) * width);
    return { x: left, y: this.rowTop(tree.depth[node]), width: Math.max(1, right - left), height: ROW - 1 };
  }

  /** The node drawn at a point of the viewport, or -1. */
  nodeAt(x, y) {
    if (!(this.span > 0) || x < 0 || x >= this.width) return -1;
    const fromRoot = this.icicle
      ? y + this.scrollTop - EDGE
      : this.contentHeight - EDGE - (y + this.scrollTop);
    const depth = Math.floor(fromRoot / ROW);
    return depth < this.rows ? this.tree.nodeAt(depth, this.from + (x / this.width) * this.span) : -1;
  }

  draw() {
    const { context, frames, colours, height } = this;
    this.labelWidths ??= new Float32Array(this.tree.names.length);
    context.fillStyle = colours.surface;
    context.fillRect(0, 0, frames.width, frames.height);
    if (!(this.span > 0)) return;
    this.painted = colours.fills.map(() => []);
    this.labels = [];
    const first = this.icicle ? this.scrollTop : this.contentHeight - this.scrollTop - height;
    const lowest = Math.max(0, Math.floor((first - EDGE) / ROW));
    const highest = Math.min(this.rows - 1, Math.floor((first + height - EDGE) / ROW));
    for (let depth = lowest; depth <= highest; depth++) this.#layRow(depth);
    this.painted.forEach((boxes, fill) => {
      context.fillStyle = colours.fills[fill];
      for (let i = 0; i < boxes.length; i += 4) context.fillRect(boxes[i], boxes[i + 1], boxes[i + 2], boxes[i + 3]);
    });
    this.#writeLabels();
  }

  /** Gather what is to be painted of one row. */
  #layRow(depth) {
    const { tree, colours, matches, from, ratio } = this;
    const { level, start, end } = tree;
    const deviceWidth = this.frames.width;
    const scale = deviceWidth / this.span;
    const grain = Math.max(1, Math.round(ratio));
    const top = Math.round(this.rowTop(depth) * ratio);
    const rowHeight = Math.round((this.rowTop(depth) + ROW) * ratio) - top - grain;
    const usual = depth < tree.depth[this.zoom] ? Colours.CALLER : Colours.PLAIN;
    const fillFor = (own, matched) =>
      matches === null ? own + usual : matched ? colours.matchFill : own + Colours.UNMATCHED;
    const paint = (left, right, fill) => this.painted[fill].push(left, top, right - left, rowHeight);
    const to = tree.levelStart[depth + 1];
    let [runLeft, runRight, runFill] = [0, 0, -1];

    let k = tree.firstEndingAfter(from, tree.levelStart[depth], to);
    while (k < to) {
      const node = level[k];
      const left = (start[node] - from) * scale;
      if (left >= deviceWidth) break;
      const right = (start[end[node]] - from) * scale;
      if (right - left >= grain) {
        const x0 = Math.max(0, Math.round(left));
        const x1 = Math.max(x0 + 1, Math.min(deviceWidth, Math.round(right)));
        const fill = fillFor(colours.fillOfFrame[tree.frame[node]], matches !== null && matches.has(node));
        paint(x0, x1 - (x1 - x0 >= 3 * grain ? grain : 0), fill);
        if (x1 - x0 >= LABEL_ROOM * ratio) this.labels.push(tree.frame[node], x0, x1, top + rowHeight / 2 + ratio / 2);
        k++;
        continue;
      }
      // Frames narrower than a pixel: go to the first that starts past this pixel, but not past a wide one that starts in it.
      const x0 = Math.floor(left / grain) * grain;
      let next = tree.firstStartingAt(from + (x0 + grain) / scale, k + 1, to);
      const last = level[next - 1];
      if (next - 1 > k && (start[end[last]] - start[last]) * scale >= grain) next--;
      if (start[end[level[next - 1]]] > start[node]) {
        const fill = fillFor(Colours.fillOfClass(tree.frameClass(node)), matches !== null && matches.hasInLevel(k, next));
        if (x0 > runRight || fill !== runFill) {
          if (runRight > runLeft) paint(runLeft, runRight, runFill);
          [runLeft, runFill] = [x0, fill];
        }
        runRight = x0 + grain;
      }
      k = next;
    }
    if (runRight > runLeft) paint(runLeft, runRight, runFill);
  }

  #writeLabels() {
    const { context, labels, ratio } = this;
    context.font = this.font;
    context.textBaseline = 'middle';
    context.fillStyle = this.colours.text;
    this.ellipsis ??= context.measureText('…').width;
    for (let i = 0; i < labels.length; i += 4) {
      const left = labels[i + 1] + LABEL_INSET * ratio;
      const text = this.#label(labels[i], labels[i + 2] - LABEL_INSET * ratio - left);
      if (text) context.fillText(text, left, labels[i + 3]);
    }
  }

  /** As much of a frame's name as fits, with an ellipsis where it was cut; '' when hardly anything would. */
  #label(frame, room) {
    const { context, ellipsis, labelWidths } = this;
    const name = this.tree.names[frame];
    const text = name.length > LONGEST_LABEL ? name.slice(0, LONGEST_LABEL) : name;
    const full = (labelWidths[frame] ||= context.measureText(text).width);
    if (full <= room && text === name) return name;
    let kept = Math.min(text.length, Math.floor((text.length * (room - ellipsis)) / full) + 2);
    while (kept > 0 && context.measureText(text.slice(0, kept)).width + ellipsis > room) kept--;
    if (kept > 0 && (text.charCodeAt(kept - 1) & 0xfc00) === 0xd800) kept--;
    return kept < 2 ? '' : `${text.slice(0, kept)}…`;
  }

  /** Outline the frame under the pointer and the selected one; -1 for none. */
  drawMarks(hovered, selected, accent) {
    this.marksContext.clearRect(0, 0, this.marks.width, this.marks.height);
    this.#outline(hovered, this.colours.text, 1);
    this.#outline(selected, accent, 2);
  }

  #outline(node, colour, thickness) {
    if (node < 0 || !(this.span > 0)) return;
    const { marksContext: context, ratio } = this;
    const { x, y, width, height } = this.rectOf(node);
    const line = thickness * ratio;
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x * ratio + line / 2, y * ratio + line / 2, Math.max(line, width * ratio - 2 * line), height * ratio - line);
  }
}
