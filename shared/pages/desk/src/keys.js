// It stands before the page's text, so that no key is missed while that is read.
(() => {
  // Keys that can't be taken yet, in their order: the page is not there yet, a decision is on its way, or the style says that the
  // page, which is new, takes no click so far. What a page can't take goes on with the next one.
  const waiting = [];
  let left = null;
  let keys = null;
  const keep = () => sessionStorage.setItem('left', JSON.stringify({ ...left, waiting }));
  const isSettled = () => {
    const button = document.querySelector('button');
    return !button || getComputedStyle(button).pointerEvents !== 'none';
  };
  const take = () => {
    while (keys && waiting.length && !left) {
      if (!/[jk]/.test(waiting[0]) && !isSettled()) return;
      keys[waiting.shift()]();
    }
  };
  document.addEventListener('animationend', take);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (!/^[jkrxu]$/.test(event.key)) return;
    event.preventDefault();
    waiting.push(event.key);
    if (left) keep(); else take();
  });
  const stored = JSON.parse(sessionStorage.getItem('left') || 'null');
  sessionStorage.removeItem('left');
  const before = location.search.includes('last=') ? stored : null;
  waiting.push(...before?.waiting ?? []);

  document.addEventListener('DOMContentLoaded', () => {
    const items = [...document.querySelectorAll('[data-item]')];
    const here = () => document.activeElement?.closest('[data-item]') || (items.length === 1 ? items[0] : null);
    const show = (item) => item.scrollIntoView({ block: 'nearest' });
    const focus = (item) => { item.focus({ preventScroll: true }); show(item); };
    const nearest = (at) => items[Math.min(items.length - 1, Math.max(0, at))];
    const go = (step) => { if (items.length) focus(nearest(items.indexOf(here()) + step)); };
    let byKey = false;
    const click = (place, action) => {
      const button = place?.querySelector(`button[value=${action}]`);
      byKey = Boolean(button);
      button?.click();
    };
    // One goes on where one was: by keys with the next item in focus, by pointer with it in sight, and blurred if it is strong.
    document.addEventListener('submit', (event) => {
      left = { at: items.indexOf(event.target.closest('[data-item]')), byKey };
      keep();
    });
    if (before) {
      const item = document.querySelector('[data-last]') || (before.at >= 0 || before.byKey ? nearest(before.at) : null);
      if (item) (before.byKey ? focus : show)(item);
    }
    keys = {
      j: () => go(1),
      k: () => go(-1),
      r: () => click(here(), 'remove'),
      x: () => click(here(), 'keep'),
      // What one decided last, not what others did.
      u: () => click(document.querySelector('.notice') ?? here(), 'undo'),
    };
    take();
  });
})();
