// The page: controls, keys, the address, and what is spoken; the tree and the drawing are modules of their own.
import { Colours } from './colours.js';
import { embeddedBytes } from './columns.js';
import { FlameCanvas, ROW } from './flame_canvas.js';
import { CLASSES, PROCESS, frameWords, labelOfClass } from './frame_classes.js';
import { readTree } from './profile.js';
import { formatCount, formatShare, formatWeight } from './quantities.js';
import { Matches, compilePattern } from './search.js';
import { hasTwins, visibleTree } from './visible_tree.js';

const PATH_ENDS = 3;
const SCROLL_MARGIN_ROWS = 2;
const ADDRESS_DELAY_MS = 200;
// A view is a set of these, and of names of filters: the classes that are hidden, and what else differs from showing all.
const CHOICES = [...CLASSES.slice(0, PROCESS), 'merge-tiers', 'collapse-interpreter'];
const byId = (id) => document.getElementById(id);
const embeddedJson = (id) => JSON.parse(byId(id).textContent);
const listed = (choices) => [...choices].sort().join(',');

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

class Page {
  constructor() {
    this.canvas = new FlameCanvas(byId('frames'), byId('marks'));
    this.graph = byId('graph');
    this.darkScheme = matchMedia('(prefers-color-scheme: dark)');
    this.trees = new Map();
    this.drawn = Promise.resolve();
    this.chosenTheme = null;
    this.icicle = false;
  }

  async open() {
    const { loss, profiles, view, filters } = embeddedJson('page-data');
    Object.assign(this, { filters: Object.entries(filters), view: new Set(view), firstView: new Set(view) });
    this.profiles = Array.from({ length: profiles }, (_, index) => embeddedJson(`profile-${index}`));
    byId('loss').textContent = loss.join(' · ');
    byId('loss').hidden = loss.length === 0;
    byId('event').append(...this.profiles.map((profile, index) => new Option(profile.event, index)));
    byId('event').hidden = profiles < 2;
    this.#resize();
    await this.#readAddress();
    this.#listen();
  }

  // ---- what is shown ----

  async showEvent(index) {
    if (!this.trees.has(index)) {
      const profile = this.profiles[index];
      const whole = readTree(profile, await embeddedBytes(`columns-${index}`));
      this.trees.set(index, { whole, isPlain: !hasTwins(whole) });
    }
    this.event = index;
    Object.assign(this, this.trees.get(index));
    byId('event').value = String(index);
    this.#listChoices();
    this.#lookThrough();
  }

  /** Make the tree that the view leaves of the whole one, and start with it afresh. */
  #lookThrough() {
    const { whole, view } = this;
    const hiddenClass = CLASSES.map((name) => view.has(name));
    const hiddenPresets = this.filters.reduce((all, [name, bits]) => (view.has(name) ? all | bits : all), 0);
    const { classes, presets } = whole.frames;
    const hidden = classes.map((own, frame) => hiddenClass[own] || (presets[frame] & hiddenPresets) !== 0);
    const tree = view.size === 0 && this.isPlain ? whole : visibleTree(whole, hidden, {
      mergesTiers: view.has('merge-tiers'),
      collapsesInterpreter: view.has('collapse-interpreter'),
    });
    this.tree = tree;
    this.zoom = 0;
    this.selected = this.hovered = -1;
    this.matches = null;
    const shown = formatCount(tree.size - 1);
    const count = view.size ? `${shown} of ${formatCount(whole.size - 1)}` : shown;
    const of = tree.event && tree.unit !== 'period' ? ` of ${tree.event}` : '';
    byId('summary').textContent = tree.total(0) > 0
      ? `${this.weight(0)}${of} in ${count} ${whole.size === 2 ? 'frame' : 'frames'}`
      : 'No weight: there is nothing to draw';
    this.#paintTheme();
  }

  /** Show all but what a view hides and joins; zoom, selection and search stay, with callers for frames that go. */
  setView(view) {
    const begun = performance.now();
    const zoom = this.tree.originOf(this.zoom);
    const selected = this.selected < 0 ? -1 : this.tree.originOf(this.selected);
    this.view = view;
    this.#lookThrough();
    this.search(byId('search').value);
    if (selected >= 0) this.selected = this.tree.showing(selected);
    this.zoomTo(this.tree.showing(zoom), false);
    this.#speak(byId('summary').textContent);
    this.#writeAddress(true, 0);
    this.viewMs = performance.now() - begun;
  }

  #toggle(choice) {
    const view = new Set(this.view);
    if (!view.delete(choice)) view.add(choice);
    this.setView(view);
  }

  /** Make the buttons of the view: the classes that the event has, and what else can be done to its frames. */
  #listChoices() {
    const { classes, names, withoutTier } = this.whole.frames;
    const present = CLASSES.map((_, own) => own).filter((own) => own < PROCESS && classes.includes(own));
    this.classButtons = new Map(present.map((own) => [own, this.#choiceButton(CLASSES[own])]));
    byId('legend').replaceChildren(...[...this.classButtons.values()].map((button) => {
      const item = element('li');
      item.append(button);
      return item;
    }));
    const hasTiers = names.some((name, frame) => name !== withoutTier[frame]);
    const offers = [
      ...(hasTiers ? [['merge-tiers', 'Merge tiers']] : []),
      ...(classes.includes(CLASSES.indexOf('interpreter')) ? [['collapse-interpreter', 'Collapse interpreter']] : []),
      ...this.#usefulFilters().map(([name, bits]) => [name, `Filter ${name}`, this.#partsOf(bits).join(', ')]),
    ];
    this.switchButtons = new Map(offers.map(([choice, ...words]) => [choice, this.#choiceButton(choice, ...words)]));
    byId('switches').replaceChildren(...this.switchButtons.values());
  }

  /** The filters that a view names, and those that would take out a frame and are no part of another. */
  #usefulFilters() {
    const present = this.whole.frames.presets.reduce((all, bits) => all | bits, 0);
    const parts = new Set(this.filters.flatMap(([, bits]) => this.#partsOf(bits)));
    const isNamed = (name) => this.firstView.has(name) || this.view.has(name);
    return this.filters.filter(([name, bits]) => isNamed(name) || ((bits & present) !== 0 && !parts.has(name)));
  }

  /** The names of the filters that are part of one. */
  #partsOf(bits) {
    return this.filters.filter(([, other]) => other !== bits && (other & bits) === other).map(([name]) => name);
  }

  #choiceButton(choice, words, title = '') {
    const button = element('button', words);
    Object.assign(button, { type: 'button', title });
    button.addEventListener('click', () => this.#toggle(choice));
    return button;
  }

  #paintChoices() {
    const { tree, view } = this;
    this.classButtons.forEach((button, own) => {
      const self = tree.selfByClass[own];
      button.replaceChildren(this.#swatch(own), labelOfClass(own), ...(self ? [` ${formatShare(self, tree.total(0))}`] : []));
      button.setAttribute('aria-pressed', String(!view.has(CLASSES[own])));
    });
    this.switchButtons.forEach((button, name) => button.setAttribute('aria-pressed', String(view.has(name))));
    byId('show-all').disabled = view.size === 0;
  }

  get theme() {
    return this.chosenTheme ?? (this.darkScheme.matches ? 'dark' : 'light');
  }

  #paintTheme() {
    const { tree, theme } = this;
    if (this.chosenTheme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    this.colours = new Colours(tree, theme);
    this.#paintChoices();
    this.#relayout();
  }

  #swatch(frameClass) {
    const swatch = element('span', undefined, 'swatch');
    swatch.style.background = this.colours.ofClass(frameClass);
    return swatch;
  }

  /** Fit the drawing to its place; the root at the bottom stays in view. */
  #resize() {
    const { canvas, graph, icicle } = this;
    const showsRoot = !icicle && canvas.scrollTop + canvas.height > canvas.contentHeight - ROW;
    canvas.resize(graph.clientWidth, graph.clientHeight, devicePixelRatio || 1);
    if (!this.tree) return;
    this.#relayout();
    if (showsRoot) this.#scrollToRoot();
  }

  /** Take over a change of what is shown, then draw. */
  #relayout() {
    const { canvas, tree, colours, zoom, matches, icicle } = this;
    canvas.show({ tree, colours, zoom, matches, icicle });
    const height = canvas.contentHeight;
    byId('sheet').style.height = `${height}px`;
    this.canvas.scrollTop = this.graph.scrollTop;
    this.#redraw();
  }

  #redraw() {
    if (this.drawPending) return;
    this.drawPending = true;
    this.drawn = new Promise((resolve) => requestAnimationFrame(() => {
      this.drawPending = false;
      const begun = performance.now();
      this.canvas.draw();
      this.#mark();
      this.drawMs = performance.now() - begun;
      resolve();
    }));
  }

  #mark() {
    this.canvas.drawMarks(this.hovered, this.selected, this.colours.accent);
  }

  #scrollTo(top) {
    this.graph.scrollTop = top;
    this.canvas.scrollTop = this.graph.scrollTop;
    this.#redraw();
  }

  /** Scroll to the root of what is shown. */
  #scrollToRoot() {
    this.#scrollTo(this.icicle ? 0 : this.canvas.contentHeight);
  }

  /** Scroll as little as brings a frame into view, with room for `callees` rows on its far side. */
  #reveal(node, callees = SCROLL_MARGIN_ROWS) {
    const top = this.canvas.rowTop(this.tree.depth[node]);
    const near = SCROLL_MARGIN_ROWS * ROW;
    const far = Math.min(callees * ROW, this.canvas.height * 0.7);
    const [above, below] = this.icicle ? [near, far] : [far, near];
    const highest = above;
    const lowest = this.canvas.height - ROW - below;
    if (top > lowest) this.#scrollTo(this.canvas.scrollTop + top - lowest);
    else if (top < highest) this.#scrollTo(this.canvas.scrollTop + top - highest);
  }

  // ---- zoom and selection ----

  zoomTo(node, remember = true) {
    const { tree } = this;
    if (node && !(tree.total(node) > 0)) return this.#speak(`${tree.name(node)} has no weight to zoom to`);
    const before = this.canvas.rowTop(tree.depth[node]);
    this.zoom = node;
    if (this.selected >= 0 && !this.#isShown(this.selected)) this.selected = -1;
    this.hovered = -1;
    this.#hideTooltip();
    this.#relayout();
    this.#scrollTo(this.canvas.scrollTop + this.canvas.rowTop(tree.depth[node]) - before);
    if (node) this.#reveal(node, tree.deepestWithin(node) - tree.depth[node]);
    else this.#scrollToRoot();
    this.#showPath();
    this.#showMatched();
    this.#showDetails();
    this.#speak(node ? `Zoomed to ${this.describe(node)}` : 'Zoom reset');
    if (remember) this.#writeAddress(true);
  }

  #isShown(node) {
    return this.tree.isWithin(node, this.zoom) || this.tree.isWithin(this.zoom, node);
  }

  select(node) {
    this.selected = node;
    if (node >= 0) {
      this.#reveal(node);
      this.#speak(this.describe(node));
    }
    this.#mark();
    this.#showDetails();
    this.#writeAddress();
  }

  reset() {
    this.selected = -1;
    this.zoomTo(0);
  }

  /** Move the selection by arrow key: rows by depth, along a row by order. */
  #move(key) {
    const { tree, selected, zoom } = this;
    if (selected < 0) return this.select(zoom);
    const awayFromRoot = key === (this.icicle ? 'ArrowDown' : 'ArrowUp');
    let target;
    if (key === 'ArrowLeft' || key === 'ArrowRight') target = this.#neighbour(selected, key === 'ArrowRight' ? 1 : -1);
    else if (awayFromRoot) target = selected < zoom ? tree.ancestor(zoom, tree.depth[selected] + 1) : tree.heaviestChild(selected);
    else target = tree.parent(selected);
    if (target >= 0) this.select(target);
  }

  /** The next frame of the row, in a direction, that is wide enough to see; -1 at the end of what is shown. */
  #neighbour(node, direction) {
    const { tree, canvas } = this;
    const narrowest = canvas.span / canvas.width / 2;
    for (let k = tree.levelIndex(node) + direction; ; k += direction) {
      const other = k >= 0 && k < tree.size ? tree.level[k] : -1;
      if (other < 0 || tree.depth[other] !== tree.depth[node] || !tree.isWithin(other, this.zoom)) return -1;
      if (tree.total(other) >= narrowest) return other;
    }
  }

  // ---- words ----

  weight(node, selfOnly = false) {
    return formatWeight(this.tree.exactWeight(node, selfOnly), this.tree.unit, this.tree.event);
  }

  /** What a frame is. */
  words(node) {
    return frameWords(this.tree.frameClass(node), this.tree.tier(node));
  }

  describe(node) {
    const { tree } = this;
    const share = formatShare(tree.total(node), tree.total(0));
    const self = this.weight(node, true);
    return `${tree.name(node)}, ${this.words(node)}, ${share} of all, ${this.weight(node)}, itself ${self}, depth ${tree.depth[node]}`;
  }

  #speak(text) {
    byId('spoken').textContent = text;
  }

  #showDetails() {
    const { tree } = this;
    const node = this.hovered >= 0 ? this.hovered : this.selected >= 0 ? this.selected : this.zoom;
    const parts = [element('b', tree.name(node))];
    if (node) parts.push(element('span', this.words(node)));
    parts.push(element('span', this.weight(node)));
    parts.push(element('span', `${formatShare(tree.total(node), tree.total(0))} of all`));
    if (this.zoom) parts.push(element('span', `${formatShare(tree.total(node), tree.total(this.zoom))} of zoomed`));
    if (node) parts.push(element('span', `self ${this.weight(node, true)}`));
    byId('details').replaceChildren(...parts);
  }

  #showPath() {
    const { tree, zoom } = this;
    const depth = tree.depth[zoom];
    const items = [];
    for (let d = 0; d < depth; d++) {
      if (d === PATH_ENDS && depth > 2 * PATH_ENDS) {
        items.push(element('span', `${formatCount(depth - 2 * PATH_ENDS)} more`), element('i', '›'));
        d = depth - PATH_ENDS;
      }
      const node = tree.ancestor(zoom, d);
      const button = element('button', tree.name(node));
      button.type = 'button';
      button.addEventListener('click', () => this.zoomTo(node));
      items.push(button, element('i', '›'));
    }
    const here = element('span', tree.name(zoom));
    here.setAttribute('aria-current', 'location');
    byId('path').replaceChildren(...items, here);
    byId('reset').disabled = zoom === 0 && byId('search').value === '';
  }

  #showTooltip(node, x, y) {
    const { tree } = this;
    const tooltip = byId('tooltip');
    const what = element('div', undefined, 'class');
    what.append(this.#swatch(tree.frameClass(node)), this.words(node));
    const table = element('table');
    for (const [label, selfOnly] of [['Total', false], ['Self', true]]) {
      const part = Number(tree.exactWeight(node, selfOnly));
      const row = table.insertRow();
      row.append(element('th', label), element('td', this.weight(node, selfOnly)));
      row.append(element('td', `${formatShare(part, tree.total(0))} of all`));
      if (this.zoom && tree.isWithin(node, this.zoom)) {
        row.append(element('td', `${formatShare(part, tree.total(this.zoom))} of zoomed`));
      }
    }
    tooltip.replaceChildren(element('div', tree.name(node), 'name'), what, table);
    tooltip.hidden = false;
    const { width, height } = tooltip.getBoundingClientRect();
    const left = Math.min(x + 14, innerWidth - width - 8);
    const top = y + 18 + height > innerHeight - 8 ? y - height - 12 : y + 18;
    tooltip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
  }

  #hideTooltip() {
    byId('tooltip').hidden = true;
  }

  // ---- search ----

  search(text) {
    const begun = performance.now();
    const input = byId('search');
    input.value = text;
    this.matches = null;
    this.pattern = text;
    let reason = '';
    if (text) {
      try {
        this.matches = new Matches(this.tree, compilePattern(text, this.matchCase));
      } catch (error) {
        reason = error.message;
      }
    }
    input.setAttribute('aria-invalid', String(reason !== ''));
    this.invalid = reason;
    this.#relayout();
    this.#showMatched();
    this.#showPath();
    this.#writeAddress();
    this.searchMs = performance.now() - begun;
  }

  get matchCase() {
    return byId('match-case').getAttribute('aria-pressed') === 'true';
  }

  setMatchCase(on) {
    byId('match-case').setAttribute('aria-pressed', String(on));
    this.search(byId('search').value);
  }

  #showMatched() {
    const { tree, zoom, matches, invalid } = this;
    const output = byId('matched');
    output.classList.toggle('invalid', Boolean(invalid));
    this.found = null;
    this.matched = matches ? matches.within(zoom) : null;
    byId('previous').disabled = byId('next').disabled = !this.matched?.frames;
    if (invalid) output.replaceChildren(invalid);
    else if (!matches) output.replaceChildren();
    else {
      const { weight, frames } = this.matched;
      const where = zoom ? 'of the zoomed frame' : 'of all';
      const count = `${formatCount(frames)} ${frames === 1 ? 'frame' : 'frames'}`;
      output.replaceChildren('Matched ', element('strong', formatShare(weight, tree.total(zoom))), ` ${where}, ${count}`);
    }
  }

  /** Select the next (or with -1 the previous) of the outermost matches, heaviest first. */
  nextMatch(step) {
    if (!this.matched?.frames) return;
    this.found ??= this.matches.outermost(this.zoom);
    const { found } = this;
    if (!found.length) return;
    const at = found.indexOf(this.selected);
    const target = at < 0 ? (step > 0 ? 0 : found.length - 1) : (at + step + found.length) % found.length;
    this.select(found[target]);
    this.#speak(`Match ${target + 1} of ${found.length}: ${this.describe(found[target])}`);
  }

  // ---- controls ----

  setDirection(icicle) {
    this.icicle = icicle;
    byId('flip').setAttribute('aria-pressed', String(icicle));
    this.#relayout();
    this.#scrollToRoot();
    if (this.zoom) this.#reveal(this.zoom, this.tree.deepestWithin(this.zoom) - this.tree.depth[this.zoom]);
    this.#writeAddress();
  }

  setTheme(theme) {
    this.chosenTheme = theme;
    this.#paintTheme();
    this.#writeAddress();
  }

  clear() {
    this.search('');
    this.reset();
  }

  #focusSearch() {
    byId('search').focus();
    byId('search').select();
  }

  #listen() {
    const { graph } = this;
    const click = (id, action) => byId(id).addEventListener('click', action);
    click('reset', () => this.clear());
    click('flip', () => this.setDirection(!this.icicle));
    click('theme', () => this.setTheme(this.theme === 'dark' ? 'light' : 'dark'));
    click('show-all', () => this.setView(new Set()));
    click('help', () => byId('keys').showModal());
    click('match-case', () => this.setMatchCase(!this.matchCase));
    click('previous', () => this.nextMatch(-1));
    click('next', () => this.nextMatch(1));
    byId('event').addEventListener('change', (event) => this.#changeEvent(Number(event.target.value)));
    byId('search').addEventListener('input', (event) => this.search(event.target.value));

    const at = (event) => {
      const box = graph.getBoundingClientRect();
      return this.canvas.nodeAt(event.clientX - box.left, event.clientY - box.top);
    };
    graph.addEventListener('click', (event) => {
      const node = event.detail < 2 ? at(event) : -1;
      if (node < 0) return;
      this.selected = node;
      this.zoomTo(node);
    });
    graph.addEventListener('dblclick', () => this.reset());
    graph.addEventListener('pointermove', (event) => this.#hover(at(event), event));
    graph.addEventListener('pointerleave', () => this.#hover(-1));
    graph.addEventListener('scroll', () => {
      if (this.canvas.scrollTop === graph.scrollTop) return;
      this.canvas.scrollTop = graph.scrollTop;
      this.#hover(-1);
      this.#redraw();
    });
    document.addEventListener('keydown', (event) => this.#key(event));
    this.darkScheme.addEventListener('change', () => this.#paintTheme());
    addEventListener('popstate', () => this.#readAddress());
    new ResizeObserver(() => this.#resize()).observe(graph);
    this.#watchRatio();
  }

  #watchRatio() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener('change', () => {
      this.#resize();
      this.#watchRatio();
    }, { once: true });
  }

  async #changeEvent(index) {
    await this.showEvent(index);
    this.search(byId('search').value);
    this.reset();
  }

  #hover(node, event) {
    this.graph.classList.toggle('pointing', node >= 0);
    if (node >= 0) this.#showTooltip(node, event.clientX, event.clientY);
    else this.#hideTooltip();
    if (node === this.hovered) return;
    this.hovered = node;
    this.#mark();
    this.#showDetails();
  }

  #key(event) {
    const { key } = event;
    const inSearch = event.target === byId('search');
    if (byId('keys').open) return;
    if (key === 'f' && (event.ctrlKey || event.metaKey) && !inSearch) this.#focusSearch();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (inSearch) {
      if (key === 'Enter') this.nextMatch(event.shiftKey ? -1 : 1);
      else if (key === 'Escape') {
        this.search('');
        this.graph.focus();
      } else return;
    } else if (event.target.matches('button, select') && (key === 'Enter' || key.startsWith('Arrow'))) return;
    else if (!this.#command(key)) return;
    event.preventDefault();
  }

  /** Carry out a key pressed outside the search box; false when it means nothing. */
  #command(key) {
    switch (key) {
      case 'ArrowLeft': case 'ArrowRight': case 'ArrowUp': case 'ArrowDown': this.#move(key); break;
      case 'Enter': if (this.selected >= 0) this.zoomTo(this.selected); break;
      case 'Backspace': if (this.zoom) this.zoomTo(this.tree.parent(this.zoom)); break;
      case 'Escape': if (this.zoom || this.selected >= 0) this.reset(); else this.search(''); break;
      case '/': this.#focusSearch(); break;
      case 'n': this.nextMatch(1); break;
      case 'p': case 'N': this.nextMatch(-1); break;
      case 'c': this.setMatchCase(!this.matchCase); break;
      case 'i': this.setDirection(!this.icicle); break;
      case 'a': this.setView(new Set()); break;
      case 't': this.setTheme(this.theme === 'dark' ? 'light' : 'dark'); break;
      case '?': byId('keys').showModal(); break;
      default: return false;
    }
    return true;
  }

  // ---- the address ----

  /** Keep what is shown in the address, once nothing has changed for a moment: telling the browser costs a few milliseconds. */
  #writeAddress(newEntry = false, delay = ADDRESS_DELAY_MS) {
    if (this.reading) return;
    this.newEntry ||= newEntry;
    clearTimeout(this.addressTimer);
    const write = () => {
      const method = this.newEntry ? 'pushState' : 'replaceState';
      this.newEntry = false;
      if (this.#address() !== (location.hash || '#')) history[method](null, '', this.#address());
    };
    if (delay) this.addressTimer = setTimeout(write, delay);
    else write();
  }

  #address() {
    const state = new URLSearchParams();
    if (this.event) state.set('event', this.event);
    if (this.zoom) state.set('zoom', this.tree.originOf(this.zoom));
    if (this.selected >= 0) state.set('frame', this.tree.originOf(this.selected));
    if (listed(this.view) !== listed(this.firstView)) state.set('view', listed(this.view));
    if (this.pattern) state.set('search', this.pattern);
    if (this.matchCase) state.set('case', 'match');
    if (this.icicle) state.set('root', 'top');
    if (this.chosenTheme) state.set('theme', this.chosenTheme);
    return `#${state}`;
  }

  async #readAddress() {
    this.reading = true;
    clearTimeout(this.addressTimer);
    const state = new URLSearchParams(location.hash.slice(1));
    const index = (name, count, otherwise) => {
      const number = Number(state.get(name) ?? otherwise);
      return Number.isInteger(number) && number >= 0 && number < count ? number : otherwise;
    };
    const theme = state.get('theme');
    this.chosenTheme = ['light', 'dark'].includes(theme) ? theme : null;
    const choices = [...CHOICES, ...this.filters.map(([name]) => name)];
    const view = state.get('view')?.split(',').filter((choice) => choices.includes(choice));
    this.view = new Set(view ?? this.firstView);
    await this.showEvent(index('event', this.profiles.length, 0));
    byId('match-case').setAttribute('aria-pressed', String(state.get('case') === 'match'));
    this.search(state.get('search') ?? '');
    this.setDirection(state.get('root') === 'top');
    const selected = index('frame', this.whole.size, -1);
    if (selected >= 0) this.selected = this.tree.showing(selected);
    this.zoomTo(this.tree.showing(index('zoom', this.whole.size, 0)), false);
    if (this.selected >= 0) this.select(this.selected);
    this.reading = false;
  }
}

const page = new Page();
// For tests and the curious: what the page shows, by its own words.
window.flameparse = {
  page,
  ready: page.open().then(() => page.drawn).then(() => performance.now()).catch((error) => {
    byId('summary').textContent = `This page cannot be read: ${error.message}`;
    throw error;
  }),
};
