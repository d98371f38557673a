// Every page: questions before what cannot be undone, one click is one request, and the worker that keeps the shell.
import { ask } from "./dialog.js";

for (const button of document.querySelectorAll("button[data-ask]")) {
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    if (await ask(button.dataset.ask, button.textContent.trim())) button.form.requestSubmit();
  });
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000); // a download leaves the page where it is
  });
}

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js").catch(() => {}); // without it everything works, online
}
