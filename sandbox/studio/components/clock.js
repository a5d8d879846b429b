// The clock of the page: one number, the moment that is shown, and its tick. The first picture moves it; whatever else
// tells of a tick is a place that draws the same moment at the same time. Each component's script begins with this one.

const clock = (window.sandboxClock ??= {
  places: new Set(), // {tell(moment, number): draw it; ready(number): whether the frame can be shown}
  moment: null, // the one that is shown
  number: -1, // of the frame that is shown
  show(moment, number) {
    [this.moment, this.number] = [moment, number];
    for (const place of this.places) place.tell(moment, number);
  },
  ready(number) {
    return [...this.places].every((place) => !place.ready || place.ready(number));
  },
});
