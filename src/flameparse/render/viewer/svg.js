// Zoom, search and address-bar state for one flame graph. Works on the SVG it stands in, alone or inside a page.
// Frames are flat arrays in drawing order, parents first; nothing recurses, text only ever goes through textContent.
(function () {
  'use strict';
  const SVG = 'http://www.w3.org/2000/svg';
  const XHTML = 'http://www.w3.org/1999/xhtml';
  const here = document.currentScript;
  const svg = here ? here.closest('svg') : document.documentElement;
  const settings = JSON.parse(svg.getAttribute('data-fp'));
  const alone = svg === document.documentElement;
  const groups = Array.from(svg.querySelectorAll('.fp-frames g'));
  const details = svg.querySelector('.fp-details');
  const count = groups.length;
  if (count === 0) return;
  svg.querySelector('.fp-frames').setAttribute('cursor', 'pointer');

  const depth = new Int32Array(count);
  const start = new Float64Array(count);
  const weight = new Float64Array(count);
  const names = new Array(count);
  const tips = new Array(count);
  const rects = new Array(count);
  const texts = new Array(count);
  const fills = new Array(count);
  // What the picture shows now, so that only what changes is written to it.
  const drawn = new Uint8Array(count).fill(1);
  const faded = new Uint8Array(count);
  const lit = new Uint8Array(count);
  const lefts = new Float64Array(count);
  const spans = new Float64Array(count);
  const labels = new Array(count);
  const baselines = new Array(count);
  const indexOf = new Map();
  for (let i = 0; i < count; i++) {
    const [title, rect, text] = groups[i].children;
    const [d, s, w] = groups[i].getAttribute('data-f').split(' ');
    depth[i] = d;
    start[i] = s;
    weight[i] = w;
    tips[i] = title.textContent;
    names[i] = groups[i].hasAttribute('data-n')
      ? groups[i].getAttribute('data-n')
      : tips[i].slice(0, tips[i].lastIndexOf(' ('));
    rects[i] = rect;
    texts[i] = text || null;
    fills[i] = rect.getAttribute('fill');
    lefts[i] = rect.getAttribute('x');
    spans[i] = rect.getAttribute('width');
    labels[i] = text ? text.textContent : '';
    baselines[i] = Number(rect.getAttribute('y')) + settings.row / 2 + settings.fontsize * 0.34;
    indexOf.set(groups[i], i);
  }

  let plot = settings.plot;
  let zoomed = 0;
  let term = '';
  let ignoreCase = false;
  const restingText = details.textContent;

  // ---- text that fits -------------------------------------------------------------------------------------------

  const measure = document.createElementNS(XHTML, 'canvas').getContext('2d');
  measure.font = settings.fontsize + 'px ' + svg.getAttribute('font-family');
  const widths = new Map();

  function widthOf(char) {
    let width = widths.get(char);
    if (width === undefined) {
      width = measure.measureText(char).width;
      widths.set(char, width);
    }
    return width;
  }

  function fit(text, room, keepEnd) {
    const ellipsis = widthOf('…');
    if (room < 2 * ellipsis) return '';
    const chars = Array.from(text.length > 4000 ? (keepEnd ? text.slice(-4000) : text.slice(0, 4000)) : text);
    if (keepEnd) chars.reverse();
    let used = 0;
    let whole = 0;
    for (let i = 0; i < chars.length; i++) {
      used += widthOf(chars[i]);
      if (used > room) {
        if (whole < 2) return '';
        const kept = chars.slice(0, whole);
        return keepEnd ? '…' + kept.reverse().join('') : kept.join('') + '…';
      }
      if (used + ellipsis <= room) whole = i + 1;
    }
    return text;
  }

  function label(i, x, width) {
    const fitted = fit(names[i], width - 2 * settings.textpad, settings.left);
    if (fitted === '' && labels[i] === '') return;
    if (texts[i] === null) {
      texts[i] = document.createElementNS(SVG, 'text');
      texts[i].setAttribute('y', baselines[i].toFixed(2));
      groups[i].appendChild(texts[i]);
    }
    texts[i].setAttribute('x', (x + settings.textpad).toFixed(2));
    if (fitted !== labels[i]) texts[i].textContent = labels[i] = fitted;
  }

  // ---- zoom -----------------------------------------------------------------------------------------------------

  function span() {
    return zoomed === 0 ? [0, settings.total] : [start[zoomed], weight[zoomed]];
  }

  function show(i, visible) {
    if (drawn[i] === Number(visible)) return;
    drawn[i] = Number(visible);
    if (visible) groups[i].removeAttribute('display');
    else groups[i].setAttribute('display', 'none');
  }

  /** Show the zoomed frame over the whole width; every label is fitted anew when the font was only guessed so far. */
  function layOut(everyLabel) {
    const [from, across] = span();
    for (let i = 0; i < count; i++) {
      const ancestor = depth[i] < depth[zoomed];
      const inside = start[i] >= from && start[i] + weight[i] <= from + across;
      const around = start[i] <= from && start[i] + weight[i] >= from + across;
      const visible = ancestor ? around : inside && (weight[i] / across) * plot >= 0.05;
      show(i, visible);
      if (!visible) continue;
      const x = ancestor ? settings.pad : settings.pad + ((start[i] - from) / across) * plot;
      const width = ancestor ? plot : (weight[i] / across) * plot;
      if (faded[i] !== Number(ancestor)) {
        faded[i] = Number(ancestor);
        groups[i].classList.toggle('fp-parent', ancestor);
      }
      const moved = Math.abs(x - lefts[i]) > 0.006 || Math.abs(width - spans[i]) > 0.011;
      if (moved) {
        lefts[i] = x;
        spans[i] = width;
        rects[i].setAttribute('x', x.toFixed(2));
        rects[i].setAttribute('width', width.toFixed(2));
        rects[i].setAttribute('stroke', width < settings.outlined ? 'none' : settings.stroke);
      }
      if (moved || everyLabel) label(i, x, width);
    }
    resetButton.setAttribute('display', zoomed === 0 ? 'none' : 'inline');
  }

  function zoom(i) {
    zoomed = i;
    layOut(false);
    mark();
    saveState();
  }

  // ---- search ---------------------------------------------------------------------------------------------------

  /** Colour what matches and say how much of the zoomed part it covers; frames under a match count once. */
  function mark() {
    let expression = null;
    let problem = '';
    if (term !== '') {
      try {
        expression = new RegExp(term, ignoreCase ? 'i' : '');
      } catch (error) {
        problem = 'Not a regular expression: ' + error.message;
      }
    }
    const [from, across] = span();
    const known = new Map();
    let covered = 0;
    let end = from;
    let found = 0;
    for (let i = 0; i < count; i++) {
      let matches = false;
      if (expression !== null) {
        matches = known.get(names[i]);
        if (matches === undefined) {
          matches = expression.test(names[i]);
          known.set(names[i], matches);
        }
      }
      if (lit[i] !== Number(matches)) {
        lit[i] = Number(matches);
        rects[i].setAttribute('fill', matches ? settings.search : fills[i]);
      }
      const within = depth[i] >= depth[zoomed] && start[i] >= from && start[i] + weight[i] <= from + across;
      if (!matches || !within) continue;
      found++;
      if (start[i] >= end) {
        covered += weight[i];
        end = start[i] + weight[i];
      }
    }
    const percent = ((100 * covered) / across).toFixed(2);
    const result = 'Matched: ' + percent + '% (' + found.toLocaleString('en') + (found === 1 ? ' frame)' : ' frames)');
    matched.textContent = problem !== '' ? fit(problem, plot * 0.5, false) : term !== '' ? result : '';
    searchButton.label(term === '' ? 'Search' : 'Clear search');
  }

  function search(text) {
    term = text;
    mark();
    saveState();
  }

  function setIgnoreCase(on) {
    ignoreCase = on;
    caseButton.setAttribute('aria-pressed', String(on));
    mark();
    saveState();
  }

  // ---- state in the address: x, y the zoomed frame (weight to its left, depth), s the search, i ignore case --------

  function saveState() {
    if (!alone) return;
    const state = new URLSearchParams();
    if (zoomed !== 0) {
      state.set('x', String(start[zoomed]));
      state.set('y', String(depth[zoomed]));
    }
    if (term !== '') state.set('s', term);
    if (ignoreCase) state.set('i', '1');
    const hash = state.toString();
    if (hash !== location.hash.slice(1)) location.hash = hash;
  }

  function loadState(everyLabel) {
    const state = new URLSearchParams(location.hash.slice(1));
    const x = Number(state.get('x'));
    const y = Number(state.get('y'));
    zoomed = 0;
    for (let i = 1; y > 0 && i < count; i++) {
      if (depth[i] === y && start[i] === x) {
        zoomed = i;
        break;
      }
    }
    term = state.get('s') || '';
    ignoreCase = state.get('i') === '1';
    caseButton.setAttribute('aria-pressed', String(ignoreCase));
    layOut(everyLabel);
    mark();
  }

  // ---- controls -------------------------------------------------------------------------------------------------

  const unit = settings.fontsize;
  const controls = document.createElementNS(SVG, 'g');
  svg.appendChild(controls);

  const matched = document.createElementNS(SVG, 'text');
  matched.setAttribute('class', 'fp-matched');
  matched.setAttribute('text-anchor', 'end');
  matched.setAttribute('y', settings.details);
  matched.setAttribute('font-weight', '600');
  svg.appendChild(matched);

  /** Make a button whose right edge is `right` pixels left of the picture's. */
  function button(text, hint, right, width, act) {
    const group = document.createElementNS(SVG, 'g');
    const box = document.createElementNS(SVG, 'rect');
    const caption = document.createElementNS(SVG, 'text');
    const title = document.createElementNS(SVG, 'title');
    for (const [name, value] of [['class', 'fp-button'], ['role', 'button'], ['tabindex', '0']]) {
      group.setAttribute(name, value);
    }
    for (const [name, value] of [['x', -right - width], ['y', 8], ['width', width], ['height', unit * 1.8], ['rx', 4]]) {
      box.setAttribute(name, value);
    }
    caption.setAttribute('x', -right - width / 2);
    caption.setAttribute('y', 8 + unit * 1.25);
    caption.setAttribute('text-anchor', 'middle');
    caption.textContent = text;
    title.textContent = hint;
    group.append(title, box, caption);
    group.addEventListener('click', act);
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      act();
    });
    group.label = (value) => {
      caption.textContent = value;
    };
    controls.appendChild(group);
    return group;
  }

  const caseButton = button('aA', 'Ignore case (Ctrl-I)', 0, unit * 2.4, () => setIgnoreCase(!ignoreCase));
  const searchButton = button('Search', 'Search by regular expression (Ctrl-F)', unit * 2.8, unit * 8, () => {
    if (term !== '') search('');
    else openSearch();
  });
  const resetButton = button('Reset zoom', 'Show everything (Escape)', unit * 11.2, unit * 7.5, () => zoom(0));

  let box = null;
  let typing = 0;

  function openSearch() {
    if (box === null) {
      const frame = document.createElementNS(SVG, 'foreignObject');
      const input = document.createElementNS(XHTML, 'input');
      for (const [name, value] of [['x', -unit * 22], ['y', 8], ['width', unit * 19.2], ['height', unit * 1.8 + 2]]) {
        frame.setAttribute(name, value);
      }
      input.setAttribute('type', 'text');
      input.setAttribute('placeholder', 'regular expression');
      input.setAttribute('aria-label', 'Search by regular expression');
      input.setAttribute('spellcheck', 'false');
      Object.assign(input.style, {
        boxSizing: 'border-box', width: '100%', height: unit * 1.8 + 'px', font: measure.font, padding: '0 6px',
        border: '1px solid ' + settings.search, borderRadius: '4px', outline: 'none', background: '#fff', color: '#222',
      });
      frame.appendChild(input);
      input.addEventListener('input', () => {
        clearTimeout(typing);
        typing = setTimeout(() => search(input.value), 120);
      });
      input.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        event.stopPropagation();
        event.preventDefault();
        closeSearch(event.key === 'Enter' ? input.value : '');
      });
      box = { frame, input };
    }
    controls.appendChild(box.frame);
    box.input.value = term;
    box.input.focus();
    box.input.select();
  }

  function closeSearch(text) {
    clearTimeout(typing);
    box.frame.remove();
    search(text);
  }

  function searchIsOpen() {
    return box !== null && box.frame.parentNode !== null;
  }

  // ---- events ---------------------------------------------------------------------------------------------------

  function frameAt(event) {
    const group = event.target.closest ? event.target.closest('.fp-frames g') : null;
    return group === null ? undefined : indexOf.get(group);
  }

  svg.addEventListener('click', (event) => {
    const i = frameAt(event);
    if (i === undefined) return;
    if (event.target.closest('a') !== null) {
      if (!event.ctrlKey && !event.metaKey) return; // a link is followed; with Ctrl its frame is zoomed
      event.preventDefault();
    }
    zoom(i);
  });

  svg.addEventListener('mouseover', (event) => {
    const i = frameAt(event);
    details.textContent = i === undefined ? restingText : fit(settings.nametype + ' ' + tips[i], plot * 0.75, false);
    details.setAttribute('opacity', i === undefined ? '.8' : '1');
  });

  // In a page of its own the graph owns these keys; inside another page only while the focus is on it.
  (alone ? window : svg).addEventListener('keydown', (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (event.key === 'F3' || (command && event.key.toLowerCase() === 'f')) {
      if (searchIsOpen()) return; // the second time the browser's own search opens
      event.preventDefault();
      openSearch();
    } else if (command && event.key.toLowerCase() === 'i') {
      event.preventDefault();
      setIgnoreCase(!ignoreCase);
    } else if (event.key === 'Escape') {
      if (term !== '') search('');
      else zoom(0);
    }
  });

  /** Keep the buttons in sight when a tall picture is scrolled. */
  function pinControls() {
    const y = alone ? window.scrollY : 0;
    controls.setAttribute('transform', 'translate(' + (plot + settings.pad) + ',' + y + ')');
  }

  function resize() {
    let width = settings.plot + 2 * settings.pad;
    if (settings.fluid) {
      width = Math.max(300, Math.round(svg.getBoundingClientRect().width) || width);
      svg.setAttribute('viewBox', '0 0 ' + width + ' ' + settings.height);
      svg.setAttribute('height', settings.height);
    }
    plot = width - 2 * settings.pad;
    pinControls();
    matched.setAttribute('x', width - settings.pad);
  }

  if (settings.fluid) {
    window.addEventListener('resize', () => {
      resize();
      layOut(false);
    });
  }
  resize();
  if (alone) {
    window.addEventListener('hashchange', () => loadState(false));
    window.addEventListener('scroll', pinControls);
    loadState(true);
    if (settings.rootLast) window.scrollTo(0, settings.height); // the root is what one wants to see first
  } else {
    layOut(true);
  }
})();
