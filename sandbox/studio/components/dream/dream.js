// A dreamed world beside the true one. Streamlit calls the exported function at every change.
//
// It is sent {dream, kernel: pictures, rows, cols, keys: what each code means, arrows: the code of each action,
// marked: cells [row, column], standing}, and tells {key: "0".."7" | "back", number}; `number` tells two
// equal presses apart.

const ARROWS = { ArrowLeft: "move_left", ArrowRight: "move_right", ArrowUp: "move_up", ArrowDown: "move_down" };
let number = 0;

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (name) => parentElement.querySelector(name), stage = find(".dreaming"), codes = find(".codes");
  const press = (key) => setTriggerValue("pressed", { key, number: Date.now() * 1000 + (number++ % 1000) });

  find(".of-dream").src = data.dream;
  find(".of-kernel").src = data.kernel;
  find(".standing").textContent = data.standing;
  for (const marks of parentElement.querySelectorAll(".marks"))
    marks.replaceChildren(...data.marked.map(([row, col]) => mark(row, col, data)));

  const told = JSON.stringify(data.keys);
  if (codes.dataset.told !== told) { // a button that is pressed keeps its focus
    codes.dataset.told = told;
    codes.replaceChildren(...data.keys.map((word, code) => button(code, word)));
  }
  [...codes.children].forEach((one, code) => (one.onclick = () => press(String(code))));
  stage.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const code = event.key in ARROWS ? data.arrows[ARROWS[event.key]] : +event.key - 1;
    if (event.key === "Backspace") press("back");
    else if (event.key !== " " && code >= 0 && code < data.keys.length) press(String(code));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function mark(row, col, { rows, cols }) {
  const ring = document.createElement("i");
  Object.assign(ring.style, {
    top: `${(100 * row) / rows}%`, left: `${(100 * col) / cols}%`, height: `${100 / rows}%`, width: `${100 / cols}%`,
  });
  return ring;
}

function button(code, word) {
  const one = document.createElement("button"), key = document.createElement("b");
  key.textContent = `${code + 1} `;
  one.type = "button";
  one.append(key, word);
  return one;
}
