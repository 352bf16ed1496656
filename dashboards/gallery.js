// Pictures with two lines of text each. All that comes from data goes in as text and as attributes
// of elements made here: nothing is parsed as HTML.
export default function ({ parentElement, data }) {
  const grid = parentElement.querySelector(".grid");
  const made = (name, style, text) => {
    const element = document.createElement(name);
    element.className = style;
    if (text) element.textContent = text;
    return element;
  };
  const cards = data.items.map((item) => {
    const card = made("figure", "card");
    card.title = item.title;
    if (item.picture) {
      const picture = made("img", "picture");
      picture.loading = "lazy";
      picture.alt = item.title;
      picture.src = item.picture;
      picture.onerror = () => picture.replaceWith(made("div", "picture none", "no picture"));
      card.append(picture);
    }
    const caption = made("figcaption", "caption");
    // A line may break beside the arrow, and only then within a word.
    caption.append(made("span", "label", item.label), " ", made("span", "arrow", "→"), " ");
    caption.append(made("span", item.right ? "said right" : "said", item.said));
    card.append(caption);
    if (item.note) card.append(made("div", "note", item.note));
    return card;
  });
  grid.replaceChildren(...cards);
}
