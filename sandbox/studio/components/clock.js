// The clock of the page: one number, the moment that is shown, and its tick. The first picture moves it; whatever else
// tells of a tick is a place that draws the same moment at the same time. Each component's script begins with this one.

const clock = (window.sandboxClock ??= {
  places: new Set(), // {tell(moment, number): draw it; ready(number): whether the frame can be shown}
  mounted: new WeakMap(), // by the element
  moment: null, // the one that is shown
  number: -1, // of the frame that is shown
  show(moment, number) {
    [this.moment, this.number] = [moment, number];
    for (const place of this.places) place.tell(moment, number);
  },
  // What a component has mounted in an element, made at the first call, and what Streamlit is to call when it goes.
  mount(element, make) {
    if (!this.mounted.has(element)) this.mounted.set(element, make());
    const one = this.mounted.get(element);
    const call = (one.calls = (one.calls || 0) + 1);
    this.places.add(one);
    const left = () => {
      if (call !== one.calls) return; // a newer call has taken over
      one.stop?.();
      this.places.delete(one);
      this.mounted.delete(element);
    };
    return [one, left];
  },
  ready(number) {
    return [...this.places].every((place) => !place.ready || place.ready(number));
  },
});
