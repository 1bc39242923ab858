// Pages work without this file. It lets someone pause what updates itself, and keeps it quiet in the background.
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

  document.addEventListener("htmx:before:request", (event) => {
    const isPolled = event.target instanceof Element && event.target.closest("[data-live]") !== null;
    if (isPolled && (isPaused() || document.hidden)) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", showPause);
  showPause();
})();
