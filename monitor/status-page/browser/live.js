/* Runs in a page that is open: fetches it anew when told that there is something new, and puts what has changed in its place. */
const { events } = document.currentScript.dataset;
const againMs = 60_000;

/** What had the focus has it again; who goes through a page by the keyboard is not thrown back to its top. */
const refocus = (was) => {
  const key = ['id', 'href'].find((name) => was?.getAttribute(name));
  if (key) document.querySelector(`[${key}="${CSS.escape(was.getAttribute(key))}"]`)?.focus({ preventScroll: true });
};

const refresh = async () => {
  const response = await fetch(location.href);
  // The session is over; the page says how to begin another.
  if (response.status === 401) location.reload();
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  const focused = document.activeElement;
  const opened = document.querySelectorAll('details[open][id]');
  for (const part of ['title', 'link[rel="icon"]', 'header', '[data-live]']) {
    const next = fresh.querySelector(part);
    if (next) document.querySelector(part)?.replaceWith(next);
  }
  for (const { id } of opened) document.getElementById(id)?.setAttribute('open', '');
  if (focused && !focused.isConnected) refocus(focused);
  document.dispatchEvent(new Event('fresh'));
};

/** A connection that breaks is begun anew by the browser, with what it saw last; one that was refused, here, a minute later. */
const listen = () => {
  const source = new EventSource(events);
  source.addEventListener('changed', () => void refresh().catch(() => {}));
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      refresh().catch(() => {});
      listen();
    }, againMs);
  });
};
listen();
