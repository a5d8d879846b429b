"use strict";
const rows = [...document.querySelectorAll("#samples tbody tr")];
const texts = rows.map((row) => row.textContent.toLowerCase());
const kind = document.getElementById("kind"), words = document.getElementById("words");
function choose() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  rows.forEach((row, k) => {
    const shown = (!kind.value || row.dataset.kind === kind.value) && wanted.every((word) => texts[k].includes(word));
    row.hidden = !shown;
    count += shown;
  });
  document.getElementById("chosen").textContent = `${count} of ${rows.length}`;
}
function open() {
  const text = location.hash.startsWith("#transcript-") && document.getElementById(location.hash.slice(1));
  if (text) { text.open = true; text.scrollIntoView(); }
}
kind.addEventListener("change", choose);
words.addEventListener("input", choose);
addEventListener("hashchange", open);
document.getElementById("choice").hidden = false;
choose();
open();
