// It stands before the page's text, so that no key is missed while that is read.
(() => {
  // A decision is sent from here, and the page that answers takes the place of what is shown. The browser would go from page to
  // page itself, as it does without JavaScript, but a key that is pressed while one page leaves and the next comes is lost there:
  // with a lost `j`, the `r` after it would remove another comment than the one meant.
  //
  // Keys that can't be taken yet, in their order: the page is not there yet, a decision is on its way, or the style says that the
  // page, which is new, takes no click so far. What a page can't take goes on with the next one.
  let waiting = [];
  let underway = 0;
  let sent = Promise.resolve();
  let keys = null;
  const isSettled = () => {
    const button = document.querySelector('button');
    return !button || getComputedStyle(button).pointerEvents !== 'none';
  };
  const take = () => {
    while (keys && waiting.length && !underway) {
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
    take();
  });

  /** Where one is: what an item's place is taken from, and whether one came there by a key. */
  const place = () => ({ items: [...document.querySelectorAll('[data-item]')], byKey: false });
  let now = place();

  /** Makes the keys those of the page that is shown; `left` is where one was on the page before. */
  const arrive = (left) => {
    now = place();
    const { items } = now;
    const here = () => document.activeElement?.closest('[data-item]') || (items.length === 1 ? items[0] : null);
    const show = (item) => item.scrollIntoView({ block: 'nearest' });
    const focus = (item) => { item.focus({ preventScroll: true }); show(item); };
    const nearest = (at) => items[Math.min(items.length - 1, Math.max(0, at))];
    const go = (step) => { if (items.length) focus(nearest(items.indexOf(here()) + step)); };
    const click = (form, action) => {
      const button = form?.querySelector(`button[value=${action}]`);
      now.byKey = Boolean(button);
      button?.click();
    };
    // One goes on where one was: by keys with the next item in focus, by pointer with it in sight, and blurred if it is strong.
    if (left) {
      const item = document.querySelector('[data-last]') || (left.at >= 0 || left.byKey ? nearest(left.at) : null);
      if (item) (left.byKey ? focus : show)(item);
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
  };
  document.addEventListener('DOMContentLoaded', () => arrive(null));

  /** Has the browser itself send the form, and show what comes or why nothing does. A decision that is sent twice is one. */
  const leaveItToTheBrowser = (form, { name, value }) => {
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name, value });
    form.append(field);
    document.body.append(form);
    form.submit();
  };
  const send = async (form, button, body, left) => {
    const answer = await fetch(form.getAttribute('action'), { method: 'POST', body }).catch(() => null);
    const text = answer?.headers.get('content-type')?.startsWith('text/html') ? await answer.text().catch(() => null) : null;
    if (text === null) {
      leaveItToTheBrowser(form, button);
      return;
    }
    const next = new DOMParser().parseFromString(text, 'text/html');
    document.title = next.title;
    document.body.replaceWith(next.body);
    if (answer.redirected) history.replaceState(null, '', answer.url);
    underway -= 1;
    // Keys were meant for a desk; on another page, which says what went wrong, they are forgotten.
    const isDesk = new URL(answer.url).searchParams.has('last');
    if (!isDesk) {
      waiting = [];
      scrollTo(0, 0);
    }
    arrive(isDesk ? left : null);
  };
  document.addEventListener('submit', (event) => {
    const { target: form, submitter: button } = event;
    if (button?.name !== 'action') return;
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = 'yes';
    underway += 1;
    const body = new URLSearchParams(new FormData(form, button));
    const left = { at: now.items.indexOf(form.closest('[data-item]')), byKey: now.byKey };
    sent = sent.then(() => send(form, button, body, left));
  });
})();
