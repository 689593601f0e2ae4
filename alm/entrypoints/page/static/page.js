// What a script adds to pages that are complete without one: `/` goes to the search, parts are
// fetched anew only while somebody may see them, and that can be paused.
"use strict";

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  const typing = at && (at.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName));
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector('[data-key="/"]');
  if (field) {
    event.preventDefault();
    field.focus();
  }
});

if (window.htmx) {
  let paused = false;
  const show = () => {
    for (const part of document.querySelectorAll(".watching")) part.hidden = false;
    for (const button of document.querySelectorAll("[data-pause]")) {
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Paused: go on" : "Pause";
    }
  };
  document.addEventListener("click", (event) => {
    if (!event.target.matches("[data-pause]")) return;
    paused = !paused;
    show();
  });
  document.addEventListener("htmx:before:request", (event) => {
    const selecting = String(window.getSelection()).length > 0;
    if (paused || document.hidden || selecting) event.preventDefault();
  });
  const stale = (is) => {
    for (const note of document.querySelectorAll("[data-stale]")) note.hidden = !is;
  };
  for (const trouble of ["htmx:response:error", "htmx:error"]) {
    document.addEventListener(trouble, () => stale(true));
  }
  document.addEventListener("htmx:after:swap", (event) => {
    const answer = event.detail.ctx?.response;  // an error "swaps" too, without changing anything
    if (answer && answer.status < 400) stale(false);
    show();
  });
  show();
}

// A notice is said once: a reload of the page does not say it again.
const place = new URL(location.href);
if (place.searchParams.has("done")) {
  place.searchParams.delete("done");
  history.replaceState(null, "", place);
}
