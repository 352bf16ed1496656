// The desk: a grid of examples, keys that act on those chosen, and what is known of the one in hand.
// A key answers at once on the page and goes out through the outbox (outbox.js).
const PAGE = 60;
const RESTS = 250; // milliseconds after which a cursor that stands still is asked about
const NAMES = { ArrowLeft: -1, ArrowRight: 1 };

class Desk {
  constructor(root, data) {
    this.root = root;
    this.items = [];
    this.total = 0;
    this.offset = 0;
    this.at = 0;
    this.from = 0;
    this.chosen = new Set();
    this.past = [];
    this.table = null;
    this.more = null;
    this.large = false;
    this.trouble = "";
    this.conflicts = [];
    this.loading = false;
    this.typedAhead = [];
    this.outbox = makeOutbox({
      changed: () => this.paintState(),
      saved: (told) => this.afterSaved(told),
      refused: (one, event) => this.afterRefused(one, event),
    });
    this.keys = (event) => this.press(event);
    window.addEventListener("keydown", this.keys, true);
    this.build();
    this.update(data);
    this.outbox.send();
  }

  close() {
    window.removeEventListener("keydown", this.keys, true);
    clearTimeout(this.later);
  }

  // New data from the page: another run, view or filter asks for another list.
  update(data) {
    const before = this.data && JSON.stringify([this.data.query, this.data.mode]);
    const sample = this.data?.query.sample;
    this.data = data;
    if (before !== JSON.stringify([data.query, data.mode])) {
      const same = before && sample !== data.query.sample && this.items.length;
      if (!same) {
        this.offset = 0;
        this.at = 0;
      }
      this.chosen.clear();
      this.past = [];
      this.load(same ? this.at : 0);
    }
    this.loadTable();
  }

  get item() {
    return this.items[this.at];
  }

  get run() {
    return this.data.query.run;
  }

  build() {
    this.bar = made("div", "bar-top");
    this.note = made("div", "note-line");
    this.grid = made("div", "grid");
    this.grid.tabIndex = 0;
    this.legend = made("div", "legend");
    this.side = made("div", "side");
    this.left = made("div", "main");
    this.left.append(this.note, this.grid, this.legend);
    const columns = made("div", "columns");
    columns.append(this.left, this.side);
    this.root.replaceChildren(this.bar, columns);
  }

  // Keys that are pressed while a page is turned wait for it: they are meant for what it shows.
  async load(place = 0) {
    this.loading = true;
    await this.fetchList(place);
    this.loading = false;
    while (this.typedAhead.length && !this.loading) this.act(...this.typedAhead.shift());
  }

  async fetchList(place) {
    const asked = (this.asked = newKey());
    const limit = Math.min(PAGE, Math.max(0, (this.data.query.sample || Infinity) - this.offset));
    try {
      const told = await ask("/desk/list", { ...this.data.query, offset: this.offset, limit });
      if (asked !== this.asked) return;
      this.items = told.items;
      this.total = Math.min(told.total, this.data.query.sample || told.total);
      this.found = told.total;
      this.revision = told.revision;
      this.trouble = "";
    } catch (error) {
      this.items = [];
      this.total = 0;
      this.trouble = error.message;
    }
    this.at = Math.max(0, Math.min(place, this.items.length - 1));
    this.from = this.at;
    this.more = null;
    this.paint();
    this.look();
  }

  async loadTable() {
    if (!this.data.table) return;
    const { run, split, sample } = this.data.query;
    try {
      this.table = await ask("/desk/table", { run, split, sample: sample || 100 });
    } catch {
      return;
    }
    this.paintSide();
    this.paintLegend();
  }

  // What is known of the example in hand comes a moment after the cursor rests on it.
  look() {
    clearTimeout(this.later);
    if (!this.item || this.data.blind) return;
    const { run, split } = this.data.query;
    const id = this.item.id;
    this.later = setTimeout(async () => {
      try {
        const more = await ask("/desk/one", { run, split, id });
        if (this.item?.id !== id) return;
        this.more = more;
        this.paintSide();
      } catch {
        // The list already shows what matters.
      }
    }, RESTS);
  }

  // ---- acting -------------------------------------------------------------------------------

  targets() {
    const rows = this.chosen.size ? [...this.chosen] : [this.at];
    return rows.map((row) => this.items[row]).filter(Boolean);
  }

  post(event) {
    return this.outbox.put(this.run, this.data.query.split, event);
  }

  setTag(tag) {
    const items = this.targets();
    const on = items.some((item) => !item.tags.includes(tag));
    const moved = items.filter((item) => item.tags.includes(tag) !== on);
    moved.forEach((item) => this.applyTag(item, tag, on));
    this.past.push({ undo: () => moved.forEach((item) => this.applyTag(item, tag, !on)) });
    this.repaint(moved);
  }

  applyTag(item, tag, on) {
    item.tags = on ? [...item.tags, tag] : item.tags.filter((name) => name !== tag);
    item.read = item.read || on;
    this.post({ do: "tag", id: item.id, tag, on });
    this.repaint([item]);
  }

  markRead() {
    const moved = this.targets().filter((item) => !item.read);
    const mark = (item, on) => {
      item.read = on;
      this.post({ do: "read", id: item.id, on });
      this.repaint([item]);
    };
    moved.forEach((item) => mark(item, true));
    this.past.push({ undo: () => moved.forEach((item) => mark(item, false)) });
    this.move(1);
  }

  comment(text) {
    const item = this.item;
    const before = item.comment;
    const write = (words) => {
      item.comment = words;
      item.read = item.read || Boolean(words);
      this.post({ do: "comment", id: item.id, text: words });
      this.repaint([item]);
    };
    write(text);
    this.past.push({ undo: () => write(before) });
  }

  judge(verdict, label) {
    const items = this.targets();
    const kind = this.data.second ? "opinion" : "review";
    const say = (item, review) => {
      const before = item.review;
      item.review = review;
      if (!this.data.second) item.label = review.label || item.label;
      item.right = item.label === item.said;
      this.post({
        do: kind,
        id: item.id,
        verdict: review.verdict,
        label: review.label,
        seen: item.seen ?? this.revision,
        campaign: this.data.campaign || "",
        queue: this.data.query.queue || "",
      });
      this.repaint([item]);
      return before;
    };
    const moved = items.map((item) => {
      const given = item.review?.given ?? item.label;
      const held = verdict === "change" ? label : given;
      const review = { verdict, label: held, given, author: this.data.author };
      return [item, say(item, review), given];
    });
    if (!this.data.second)
      this.past.push({
        undo: () =>
          moved.forEach(([item, before, given]) => {
            say(item, before || { verdict: "withdrawn", label: given, given, author: "" });
            if (!before) item.review = null;
            this.repaint([item]);
          }),
      });
    if (!this.chosen.size) this.move(1);
  }

  undo() {
    this.past.pop()?.undo();
  }

  // The page counts again once nobody pressed a key for a moment.
  afterSaved(told) {
    if (told.saved.length && this.data.countAgain) {
      clearTimeout(this.counting);
      this.counting = setTimeout(() => this.data.countAgain(), 1500);
    }
    if (told.saved.length && this.data.table) {
      clearTimeout(this.tableLater);
      this.tableLater = setTimeout(() => this.loadTable(), 250);
    }
  }

  afterRefused(one, event) {
    if (one.conflict && event) this.conflicts.push({ ...one.conflict, event });
    else this.trouble = `not saved: ${one.why}`;
    this.paintNote();
  }

  settle(mine) {
    const { event, seq, label, verdict, by } = this.conflicts.shift();
    const item = this.items.find((one) => one.id === event.id);
    if (mine) this.post({ ...event, key: newKey(), seen: seq });
    else if (item) {
      item.label = label || item.label;
      item.review = { verdict, label, author: by, given: item.review?.given ?? item.label };
    }
    if (item) item.seen = seq;
    this.paintNote();
    if (item) this.repaint([item]);
  }

  // From the beginning, and again at each press.
  play() {
    const player = this.side.querySelector("audio");
    if (!player) return;
    player.currentTime = 0;
    player.play().catch(() => {}); // the browser may want a click first
  }

  toggleMarks() {
    this.root.classList.toggle("unmarked");
  }

  // ---- moving -------------------------------------------------------------------------------

  columns() {
    return getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
  }

  move(by, extend = false) {
    const next = this.at + by;
    if (next < 0 || next >= this.items.length) {
      if (Math.abs(by) === 1 && !extend) this.turn(Math.sign(by));
      return;
    }
    const before = this.at;
    this.at = next;
    if (extend) {
      const [low, high] = [Math.min(this.from, next), Math.max(this.from, next)];
      const old = [...this.chosen];
      this.chosen = new Set(Array.from({ length: high - low + 1 }, (_, k) => low + k));
      this.repaint([...old, ...this.chosen].map((row) => this.items[row]));
    } else {
      const old = [...this.chosen];
      this.from = next;
      this.chosen.clear();
      this.repaint(old.map((row) => this.items[row]));
    }
    this.repaint([this.items[before], this.items[next]]);
    this.grid.children[next]?.scrollIntoView({ block: "nearest" });
    this.paintSide();
    this.look();
  }

  async turn(by) {
    const offset = this.offset + by * PAGE;
    if (offset < 0 || offset >= this.total) return;
    this.offset = offset;
    this.chosen.clear();
    await this.load(by > 0 ? 0 : PAGE - 1);
  }

  press(event) {
    if (!this.root.isConnected || isTyping(event) || event.altKey) return;
    const undoing = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if ((event.ctrlKey || event.metaKey) && !undoing) return;
    const pressed = [undoing ? "u" : event.key, event.shiftKey];
    if (this.loading) this.typedAhead.push(pressed);
    if (this.loading || this.act(...pressed)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  act(key, shift) {
    if (!this.item) return false;
    if (key in NAMES) return this.move(NAMES[key], shift), true;
    if (key === "ArrowDown") return this.move(this.columns(), shift), true;
    if (key === "ArrowUp") return this.move(-this.columns(), shift), true;
    if (key === "PageDown") return this.turn(1), true;
    if (key === "PageUp") return this.turn(-1), true;
    if (key === "Escape") return this.clear(), true;
    if (key.toLowerCase() === "u") return this.undo(), true;
    if (key === "Enter" && this.data.mode === "errors") return this.zoom(), true;
    return this.data.mode === "labels" ? this.labelKey(key) : this.tagKey(key);
  }

  tagKey(key) {
    if (key === " ") return this.markRead(), true;
    if (key.toLowerCase() === "c") return this.openText("comment"), true;
    if (key === "+") return this.openText("tag"), true;
    const setting = this.settings().find((one) => one.hotkey && one.hotkey === key.toLowerCase());
    if (!setting && key.toLowerCase() === "o" && this.data.hasMarks) return this.toggleMarks(), true;
    if (!setting && key.toLowerCase() === "p" && this.data.hasSounds) return this.play(), true;
    if (!setting) return false;
    return this.setTag(setting.tag), true;
  }

  labelKey(key) {
    const low = key.toLowerCase();
    const found = this.data.classKeys[low];
    if (found !== undefined) return this.judge("change", found), true;
    if (low === "p" && this.data.hasSounds) return this.play(), true;
    if (low === "k") return this.judge("keep"), true;
    if (low === "a") return this.judge("ambiguous"), true;
    if (low === "n") return this.judge("unsure"), true;
    if (key === "Enter" && this.item.suggested) return this.judge("change", this.item.suggested), true;
    return false;
  }

  settings() {
    return this.table?.settings ?? this.data.settings ?? [];
  }

  clear() {
    const old = [...this.chosen];
    this.chosen.clear();
    this.large = false;
    this.root.classList.remove("large");
    this.repaint(old.map((row) => this.items[row]));
    this.paintSide();
  }

  zoom() {
    this.large = !this.large;
    this.root.classList.toggle("large", this.large);
    this.paintSide();
  }

  openText(what) {
    const field = made("input", "words");
    field.placeholder = what === "tag" ? "new tag, Enter sets it" : "comment, Enter saves it";
    field.maxLength = what === "tag" ? 256 : 4000;
    field.value = what === "comment" ? this.item.comment : "";
    const end = () => {
      field.remove();
      this.grid.focus({ preventScroll: true });
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") end();
      if (event.key !== "Enter") return;
      const text = field.value.split(/\s+/).filter(Boolean).join(" ");
      if (what === "comment") this.comment(field.value.trim());
      else if (text) this.newTag(text);
      end();
    });
    this.note.append(field);
    field.focus();
  }

  // A tag that nobody used yet gets the first letter of its name that is free for a key.
  newTag(tag) {
    const known = this.settings();
    if (!known.some((one) => one.tag === tag)) {
      const taken = new Set(["c", "o", "p", "u", ...known.map((one) => one.hotkey)]);
      const letters = tag.toLowerCase().split("");
      const hotkey = letters.find((one) => /[\p{L}\p{N}]/u.test(one) && !taken.has(one)) ?? "";
      known.push({ tag, hotkey, effort: null });
      this.post({ do: "setting", tag, hotkey, effort: null });
      this.paintLegend();
    }
    this.setTag(tag);
  }

  setHotkey(tag, hotkey) {
    const one = this.settings().find((setting) => setting.tag === tag);
    this.post({ do: "setting", tag, hotkey: hotkey.toLowerCase(), effort: one?.effort ?? null });
  }

  setEffort(tag, effort) {
    const one = this.settings().find((setting) => setting.tag === tag);
    const value = effort === "" ? null : Number(effort);
    this.post({ do: "setting", tag, hotkey: one?.hotkey ?? "", effort: value });
  }
}
