// Comfort only: every page works without this file.
"use strict";

// A password can be shown while it is typed; it is hidden again before it is sent, so that no browser
// remembers it as the text of an ordinary field.
for (const button of document.querySelectorAll("button[data-reveals]")) {
  const input = document.getElementById(button.dataset.reveals);
  const reveal = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
  };
  button.addEventListener("click", () => reveal(input.type === "password"));
  input.form.addEventListener("submit", () => reveal(false));
  reveal(false);
  button.hidden = false;
  button.parentElement.classList.add("can-reveal");
}

// Each rule of a new password is ticked as soon as it is kept.
for (const list of document.querySelectorAll("ul[data-rules-for]")) {
  const input = document.getElementById(list.dataset.rulesFor);
  const tick = () => {
    for (const rule of list.children) {
      rule.classList.toggle("met", new RegExp(rule.dataset.rule, "u").test(input.value));
    }
  };
  input.addEventListener("input", tick);
  tick();
}
