// How the desk is drawn. Only what changed is drawn anew: a key must answer within a frame.
const MOST_CHIPS = 3;

Object.assign(Desk.prototype, {
  paint() {
    this.paintState();
    this.paintNote();
    this.grid.classList.toggle("wide", !this.data.hasPictures);
    this.grid.classList.toggle("marked", Boolean(this.data.hasMarks));
    this.grid.replaceChildren(...this.items.map((item, row) => this.card(item, row)));
    this.paintSide();
    this.paintLegend();
  },

  repaint(items) {
    new Set(items).forEach((item) => {
      const row = this.items.indexOf(item);
      const old = this.grid.children[row];
      if (row >= 0 && old) this.dress(old, item, row);
    });
    if (items.includes(this.item)) this.paintSide();
  },

  card(item, row) {
    const card = made("figure", "card");
    card.title = item.id;
    if (this.data.hasMarks) card.append(marked(this.run, this.data.query.split, item.id, "picture"));
    else if (this.data.hasPictures) card.append(picture(this.run, item.id, "picture"));
    else card.append(made("div", "words-only", item.words || item.id));
    card.append(made("figcaption", "caption"), made("div", "tags"));
    card.addEventListener("click", (event) => this.pick(row, event));
    card.addEventListener("dblclick", () => this.data.mode === "errors" && this.zoom());
    this.dress(card, item, row);
    return card;
  },

  // The words and colours of a card; its picture stays.
  dress(card, item, row) {
    const state = [
      row === this.at && "here",
      this.chosen.has(row) && "chosen",
      (this.data.mode === "labels" ? item.review : item.read) && "done",
    ];
    card.className = ["card", ...state.filter(Boolean)].join(" ");
    const caption = card.querySelector(".caption");
    const said = made("span", item.right ? "said right" : "said", item.said);
    const arrow = made("span", "arrow", "→");
    caption.replaceChildren(made("span", "label", item.label), " ", arrow, " ", said);
    if (item.error !== null) caption.append(" ", made("span", "quiet", percent(item.error)));
    const tags = card.querySelector(".tags");
    const chips = item.tags.slice(0, MOST_CHIPS).map((tag) => made("span", `chip ${tone(tag)}`, tag));
    const hidden = item.tags.length - chips.length;
    if (hidden > 0) chips.push(made("span", "chip quiet-chip", `+${hidden}`));
    if (item.review) {
      const style = item.review.verdict === "change" ? "chip bad" : "chip";
      const text = { change: `now ${item.review.label}`, unsure: "not sure" };
      chips.push(made("span", style, text[item.review.verdict] ?? item.review.verdict));
    } else if (this.data.mode === "labels" && item.suggested) {
      chips.push(made("span", "chip quiet-chip", `${item.suggested}?`));
    }
    if (item.comment) chips.push(made("span", "comment", "“ ”"));
    tags.replaceChildren(...chips);
    tags.title = [...item.tags, item.comment].filter(Boolean).join(", ");
  },

  pick(row, event) {
    const before = [...this.chosen, this.at].map((place) => this.items[place]);
    if (event.shiftKey) {
      const [low, high] = [Math.min(this.from, row), Math.max(this.from, row)];
      this.chosen = new Set(Array.from({ length: high - low + 1 }, (_, k) => low + k));
    } else if (event.ctrlKey || event.metaKey) {
      if (!this.chosen.size) this.chosen.add(this.at);
      if (!this.chosen.delete(row)) this.chosen.add(row);
      this.from = row;
    } else {
      this.chosen.clear();
      this.from = row;
    }
    this.at = row;
    this.repaint([...before, ...[...this.chosen, row].map((place) => this.items[place])]);
    this.paintSide();
    this.look();
  },

  paintState() {
    if (this.bar.querySelector("input")) return;
    const { waiting, trouble } = this.outbox.state;
    const style = trouble ? "state bad" : waiting ? "state busy" : "state good";
    const text = trouble
      ? `not saved: ${waiting} waiting, ${trouble}`
      : waiting
        ? `saving ${waiting}`
        : "all saved";
    const end = Math.min(this.offset + this.items.length, this.total);
    const place = this.total ? `${this.offset + 1}–${end} of ${this.total.toLocaleString("en")}` : "";
    const left = made("span", "quiet", [this.data?.about, place].filter(Boolean).join(" · "));
    const right = made("span", "turn");
    if (this.total > PAGE) {
      right.append(button("plain", "‹", () => this.turn(-1), "page up"));
      right.append(button("plain", "›", () => this.turn(1), "page down"));
    }
    const who = nameTag(this.data?.author ?? "", this.data?.isSignedIn);
    this.bar.replaceChildren(left, right, made("span", style, `● ${text}`), who);
  },

  paintNote() {
    const parts = [];
    if (this.trouble) parts.push(made("div", "alert", this.trouble));
    if (this.conflicts.length) {
      const { by, verdict, label, event } = this.conflicts[0];
      const more = this.conflicts.length > 1 ? ` (${this.conflicts.length - 1} more after this)` : "";
      const text = `${event.id}: ${by} said ${verdict} ${label} meanwhile.${more}`;
      const line = made("div", "alert", text);
      line.append(button("plain", "Keep theirs", () => this.settle(false)));
      line.append(button("plain", "Save mine over it", () => this.settle(true)));
      parts.push(line);
    }
    if (!this.items.length && !this.trouble) parts.push(made("p", "quiet", "Nothing here."));
    this.note.replaceChildren(...parts);
  },

  paintSide() {
    if (!this.item) return this.side.replaceChildren();
    const shown = {
      run: this.run,
      hasPictures: this.data.hasPictures,
      hasSounds: this.data.hasSounds,
      marks: this.data.hasMarks ? this.data.query.split : "",
      blind: this.data.blind,
      neighbourPictures: this.data.hasPictures,
      bothClasses: this.data.mode === "labels",
    };
    const panels = [detail(this.item, this.more, shown)];
    if (this.chosen.size > 1) {
      panels.unshift(made("p", "panel", `${this.chosen.size} chosen: keys act on all of them`));
    }
    if (this.table) {
      panels.push(
        errorTable(this.table, {
          setEffort: (tag, effort) => this.setEffort(tag, effort),
          chooseTag: this.data.chooseTag,
        }),
      );
    }
    // Somebody types an effort: what stands there must not be taken away.
    if (this.side.contains(this.root.getRootNode().activeElement)) return;
    this.side.replaceChildren(...panels);
  },

  paintLegend() {
    const entries = [];
    const add = (keys, text, act) => {
      const entry = button("entry", "", act ?? (() => {}));
      [keys].flat().forEach((key) => entry.append(keyCap(key)));
      entry.append(made("span", "", text));
      entries.push(entry);
    };
    add(["←", "→"], "move");
    if (this.data.mode === "labels") {
      add("K", "keep", () => this.judge("keep"));
      if (!this.data.second) add("Enter", "take the suggestion", () => this.labelKey("Enter"));
      add("A", "ambiguous", () => this.judge("ambiguous"));
      add("N", "not sure", () => this.judge("unsure"));
      Object.entries(this.data.classKeys).forEach(([key, name]) => {
        add(key.toUpperCase(), name === key ? "" : name, () => this.judge("change", name));
      });
    } else {
      this.settings().forEach((one) => {
        add(one.hotkey ? one.hotkey.toUpperCase() : "·", one.tag, () => this.setTag(one.tag));
        entries.at(-1).title = "right click: give it another key";
        entries.at(-1).addEventListener("contextmenu", (event) => this.rename(event, one.tag));
      });
      add("+", "new tag", () => this.openText("tag"));
      add("Space", "read, nothing to tag", () => this.markRead());
      add("C", "comment", () => this.openText("comment"));
      add("Enter", "open", () => this.zoom());
    }
    if (this.data.hasSounds) add("P", "play", () => this.play());
    if (this.data.hasMarks) add("O", "marks on or off", () => this.toggleMarks());
    add(["Shift", "→"], "select");
    add("U", "undo", () => this.undo());
    this.legend.replaceChildren(...entries);
  },

  rename(event, tag) {
    event.preventDefault();
    const field = made("input", "words short");
    field.maxLength = 1;
    field.placeholder = `key of ${tag}`;
    field.addEventListener("keydown", (typed) => {
      typed.stopPropagation();
      if (typed.key === "Escape") field.remove();
      if (typed.key.length !== 1 || !/[\p{L}\p{N}]/u.test(typed.key)) return;
      typed.preventDefault();
      this.setHotkey(tag, typed.key);
      field.remove();
    });
    this.note.append(field);
    field.focus();
  },
});

function tone(tag) {
  return { "incorrectly labeled": "bad", ambiguous: "doubt" }[tag] ?? "";
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".desk");
  const tell = (name) => (value) => setTriggerValue(name, value ?? newKey());
  const whole = {
    ...data,
    chooseTag: data.table ? tell("tag") : null,
    countAgain: data.mode === "errors" ? null : tell("saved"),
  };
  if (root.desk) root.desk.update(whole);
  else root.desk = new Desk(root, whole);
  return () => {
    root.desk?.close();
    delete root.desk;
  };
}
