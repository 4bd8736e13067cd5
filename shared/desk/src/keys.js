(() => {
  const items = [...document.querySelectorAll('[data-item]')];
  const here = () => document.activeElement.closest('[data-item]') || (items.length === 1 ? items[0] : null);
  const go = (step) => {
    const at = items.indexOf(here());
    const next = items[Math.min(items.length - 1, Math.max(0, at + step))];
    if (next) { next.focus(); next.scrollIntoView({ block: 'nearest' }); }
  };
  const click = (place, action) => place?.querySelector(`button[value=${action}]`)?.click();
  const keys = {
    j: () => go(1),
    k: () => go(-1),
    r: () => click(here(), 'remove'),
    x: () => click(here(), 'keep'),
    u: () => click(document, 'undo'),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  if (location.search.includes('last=') && items[0]) items[0].focus({ preventScroll: true });
})();
