// A question with two answers, and short messages.
export function ask(question, yes) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog stack";
  const text = document.createElement("p");
  text.textContent = question;
  const row = document.createElement("form");
  row.method = "dialog";
  row.className = "row row--end";
  row.append(choice("✕", "", "button--quiet"), choice(yes, "yes", "button--danger"));
  dialog.append(text, row);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

function choice(text, value, look) {
  const button = document.createElement("button");
  button.className = `button ${look}`;
  button.value = value;
  button.textContent = text;
  if (!value) button.setAttribute("aria-label", document.documentElement.lang === "de" ? "Abbrechen" : "Cancel");
  return button;
}

export function say(text) {
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
  setTimeout(() => toast.remove(), 6000);
}
