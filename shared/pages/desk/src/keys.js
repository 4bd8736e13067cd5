(() => {
  const items = [...document.querySelectorAll('[data-item]')];
  const here = () => document.activeElement?.closest('[data-item]') || (items.length === 1 ? items[0] : null);
  const show = (item) => item.scrollIntoView({ block: 'nearest' });
  const focus = (item) => { item.focus({ preventScroll: true }); show(item); };
  const nearest = (at) => items[Math.min(items.length - 1, Math.max(0, at))];
  const go = (step) => { if (items.length) focus(nearest(items.indexOf(here()) + step)); };
  let byKey = false;
  const click = (place, action) => {
    const button = place?.querySelector(`button[value=${action}]`);
    // The style says from when on a new page takes clicks.
    if (!button || getComputedStyle(button).pointerEvents === 'none') return;
    byKey = true;
    button.click();
  };
  const keys = {
    j: () => go(1),
    k: () => go(-1),
    r: () => click(here(), 'remove'),
    x: () => click(here(), 'keep'),
    // What one decided last, not what others did.
    u: () => click(document.querySelector('.notice') ?? here(), 'undo'),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // One goes on where one was: by keys with the next item in focus, by pointer with it in sight, and blurred if it is strong.
  document.addEventListener('submit', (event) => {
    sessionStorage.setItem('left', JSON.stringify({ at: items.indexOf(event.target.closest('[data-item]')), byKey }));
  });
  const left = JSON.parse(sessionStorage.getItem('left') || 'null');
  sessionStorage.removeItem('left');
  if (left && location.search.includes('last=')) {
    const item = document.querySelector('[data-last]') || (left.at >= 0 || left.byKey ? nearest(left.at) : null);
    if (item) (left.byKey ? focus : show)(item);
  }
})();
