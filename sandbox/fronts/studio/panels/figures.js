// Figures that the server drew: every word in them is escaped there.
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".figures");
  if (place.drawn !== data) place.innerHTML = place.drawn = data;
}
