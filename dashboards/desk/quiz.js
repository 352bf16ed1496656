// The quiz: one example after another, no label and no prediction, answers by key; time is noted.
class Quiz {
  constructor(root, data) {
    this.root = root;
    this.at = 0;
    this.outbox = makeOutbox({
      changed: () => this.paintState(),
      saved: () => {},
      refused: (one) => {
        this.trouble = `not saved: ${one.why}`;
        this.paintState();
      },
    });
    this.keys = (event) => this.press(event);
    window.addEventListener("keydown", this.keys, true);
    this.bar = made("div", "bar-top");
    this.stage = made("div", "stage");
    this.choices = made("div", "legend");
    root.replaceChildren(this.bar, this.stage, this.choices);
    this.update(data);
    this.outbox.send();
  }

  close() {
    window.removeEventListener("keydown", this.keys, true);
  }

  update(data) {
    const before = this.data && JSON.stringify([this.data.run, this.data.split, this.data.author]);
    this.data = data;
    if (before === JSON.stringify([data.run, data.split, data.author])) return;
    this.ids = data.ids;
    this.at = 0;
    this.paint();
  }

  press(event) {
    if (!this.root.isConnected || isTyping(event) || event.ctrlKey || event.metaKey) return;
    const label = this.data.classKeys[event.key.toLowerCase()];
    if (label === undefined || this.at >= this.ids.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.answer(label);
  }

  answer(label) {
    const { run, split, distribution } = this.data;
    const seconds = (performance.now() - this.since) / 1000;
    const id = this.ids[this.at];
    this.outbox.put(run, split, { do: "answer", id, label, distribution, seconds });
    this.at += 1;
    this.paint();
    if (this.at >= this.ids.length) this.data.finished();
  }

  paint() {
    this.since = performance.now();
    this.paintState();
    const id = this.ids[this.at];
    if (id === undefined) {
      this.stage.replaceChildren(made("p", "quiet", "All answered: thank you."));
      this.choices.replaceChildren();
      return;
    }
    const image = picture(this.data.run, id, "question");
    image.alt = "";
    this.stage.replaceChildren(image);
    const next = this.ids[this.at + 1];
    if (next !== undefined) new Image().src = picture(this.data.run, next, "").src;
    const keyOf = Object.fromEntries(
      Object.entries(this.data.classKeys).map(([key, name]) => [name, key]),
    );
    this.choices.replaceChildren(
      ...this.data.classes.map((name) => {
        const entry = button("entry", "", () => this.answer(name));
        if (keyOf[name]) entry.append(keyCap(keyOf[name].toUpperCase()));
        if (keyOf[name] !== name.toLowerCase()) entry.append(made("span", "", name));
        return entry;
      }),
    );
  }

  paintState() {
    if (this.bar.querySelector("input")) return;
    const { waiting, trouble } = this.outbox.state;
    const style = trouble || this.trouble ? "state bad" : waiting ? "state busy" : "state good";
    const told = this.trouble || (trouble ? `not saved: ${waiting} waiting, ${trouble}` : "");
    const text = told || (waiting ? `saving ${waiting}` : "all saved");
    const count = `${Math.min(this.at + 1, this.ids?.length ?? 0)} of ${this.ids?.length ?? 0}`;
    this.bar.replaceChildren(
      made("span", "quiet turn", count),
      made("span", style, `● ${text}`),
      nameTag(this.data?.author ?? "", this.data?.isSignedIn),
    );
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".desk");
  const whole = { ...data, finished: () => setTriggerValue("saved", newKey()) };
  if (root.desk) root.desk.update(whole);
  else root.desk = new Quiz(root, whole);
  return () => {
    root.desk?.close();
    delete root.desk;
  };
}
