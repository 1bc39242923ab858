// Pages work without this file. It lets someone pause what updates itself, keeps it quiet in the background, copies,
// and tells the sign-in form which time zone the browser is in.
(() => {
  const key = "countersign.paused";
  const isPaused = () => sessionStorage.getItem(key) === "yes";

  function showPause() {
    for (const button of document.querySelectorAll("[data-pause]")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(isPaused()));
      button.textContent = isPaused() ? "Resume updates" : "Pause updates";
    }
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest("[data-pause]") === null) return;
    sessionStorage.setItem(key, isPaused() ? "no" : "yes");
    showPause();
  });

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const note = button.parentElement.querySelector("[data-copied]");
    const done = navigator.clipboard.writeText(source.textContent).then(() => true);
    note.textContent = (await done.catch(() => false)) ? "Copied" : "It could not be copied";
  }

  function showCopy() {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (button !== null) copy(button);
  });

  document.addEventListener("htmx:before:request", (event) => {
    const isPolled = event.target instanceof Element && event.target.closest("[data-live]") !== null;
    if (isPolled && (isPaused() || document.hidden)) event.preventDefault();
  });

  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  for (const field of document.querySelectorAll("[data-time-zone]")) field.value = timeZone;

  document.addEventListener("htmx:after:swap", showPause);
  showPause();
  showCopy();
})();
