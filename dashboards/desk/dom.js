// Elements made by hand: all that comes from data goes in as text, nothing is parsed as HTML.
function made(name, style, text) {
  const element = document.createElement(name);
  if (style) element.className = style;
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}

function button(style, text, pressed, title) {
  const element = made("button", style, text);
  element.type = "button";
  if (title) element.title = title;
  element.addEventListener("click", pressed);
  return element;
}

function keyCap(text) {
  return made("kbd", "cap", text);
}

function picture(run, id, style) {
  const image = made("img", style);
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = id;
  image.draggable = false;
  image.src = `/pictures/${encodeURIComponent(run)}/${encodeURIComponent(id)}`;
  image.onerror = () => image.replaceWith(made("div", `${style} none`, "no picture"));
  return image;
}

// A sound with the browser's own controls.
function heard(run, id) {
  const player = made("audio", "player");
  player.controls = true;
  player.preload = "none";
  player.src = `/sounds/${encodeURIComponent(run)}/${encodeURIComponent(id)}`;
  player.onerror = () => player.replaceWith(made("div", "quiet", "no sound"));
  return player;
}

// A picture with what is true and what was said laid over it, by a picture of its own.
function marked(run, split, id, style) {
  const frame = made("span", `framed ${style}`);
  const marks = made("img", "marks");
  marks.loading = "lazy";
  marks.alt = "";
  marks.draggable = false;
  marks.src = `/marks/${[run, split, id].map(encodeURIComponent).join("/")}`;
  marks.onerror = () => marks.remove();
  frame.append(picture(run, id, "under"), marks);
  return frame;
}

function percent(value, digits = 0) {
  return `${(100 * value).toFixed(digits)} %`;
}

function span(low, high, digits = 0) {
  if (low === null || high === null) return "no interval";
  return `${(100 * low).toFixed(digits)}–${(100 * high).toFixed(digits)}`;
}

// Whether somebody types text: then letters are letters, not keys of the desk.
function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

async function ask(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null);
  const answer = await fetch(`${path}?${new URLSearchParams(given)}`);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.why || "the server hit an error");
  return told;
}

// Who acts: who has signed in, or a setting of this browser, made once; the server keeps it in a
// cookie of its own.
function nameTag(author, isSignedIn) {
  if (isSignedIn) return made("span", "quiet", author);
  const tag = button("name-tag", author, () => {
    const field = made("input", "words short");
    field.value = author;
    field.maxLength = 64;
    field.ariaLabel = "your name";
    field.addEventListener("keydown", async (event) => {
      event.stopPropagation();
      if (event.key === "Escape") field.replaceWith(tag);
      if (event.key !== "Enter" || !field.value.trim()) return;
      const body = JSON.stringify({ name: field.value });
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch("/desk/name", { method: "POST", headers, body });
      if (answer.ok) location.reload();
    });
    tag.replaceWith(field);
    field.focus();
    field.select();
  });
  tag.title = "you act under this name; click to set yours in this browser";
  return tag;
}
