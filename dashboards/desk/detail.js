// One example in full: picture or features, label and prediction, scores, neighbours, other runs.
function detail(item, more, { run, hasPictures, hasSounds, marks, blind, neighbourPictures, bothClasses }) {
  const box = made("section", "panel detail");
  box.append(made("strong", "id", item.id));
  const body = made("div", "detail-body");
  if (marks) body.append(marked(run, marks, item.id, "portrait"));
  else if (hasPictures) body.append(picture(run, item.id, "portrait"));
  const facts = made("dl", "facts");
  const fact = (name, value, style) => {
    if (value === "" || value === null || value === undefined) return;
    facts.append(made("dt", "", name), made("dd", style || "", value));
  };
  if (!blind) {
    fact("label", item.label, "strong");
    const sure = item.sure === null ? "" : ` at ${item.sure.toFixed(2)}`;
    fact("predicted", item.said + sure, item.right ? "strong right" : "strong wrong");
    if (item.error !== null) fact("error", percent(item.error, 1));
    fact("source", item.source);
    if (item.loss !== null) fact("loss", item.loss.toFixed(2));
    if (item.review) fact("reviewed", `${item.review.verdict} ${item.review.label} · ${item.review.author}`);
  }
  fact("tags", item.tags.join(", "));
  fact("comment", item.comment);
  body.append(facts);
  box.append(body);
  if (hasSounds) box.append(heard(run, item.id));
  if (item.words && !hasPictures) box.append(made("blockquote", "sentence", item.words));
  if (!more || more.id !== item.id) return box;
  if (more.scores.length) box.append(scores(more.scores, item));
  if (more.others.length) {
    const line = made("p", "quiet", "other runs: ");
    more.others.forEach((one) => {
      const said = made("span", one.right ? "right" : "wrong", `${one.said} `);
      said.title = one.run;
      line.append(said);
    });
    box.append(line);
  }
  Object.entries(more.pairs).forEach(([told, pairs]) => {
    box.append(neighbours(told, pairs, item, run, neighbourPictures));
  });
  const sides = bothClasses ? Object.entries(more.sides) : [["", more.neighbours]];
  sides.forEach(([side, near]) => {
    if (!near.length) return;
    const title = side ? `nearest of ${near[0].label} (${side})` : "nearest to the network";
    box.append(neighbours(title, near, item, run, neighbourPictures));
  });
  const rows = Object.entries({ ...more.inputs, ...more.metadata });
  if (rows.length) {
    const list = made("dl", "facts wide");
    rows.slice(0, 24).forEach(([name, value]) => {
      const text = typeof value === "number" ? String(Math.round(value * 1e4) / 1e4) : value;
      list.append(made("dt", "", name), made("dd", "", text));
    });
    box.append(list);
  }
  return box;
}

function scores(found, item) {
  const list = made("div", "scores");
  found.forEach(([name, value]) => {
    const line = made("div", "score");
    const bar = made("span", name === item.label ? "bar own" : "bar");
    bar.style.width = `${Math.max(1, Math.min(100, 100 * value))}%`;
    const track = made("span", "track");
    track.append(bar);
    line.append(made("span", "score-name", name), track, made("span", "quiet", value.toFixed(2)));
    list.append(line);
  });
  return list;
}

function neighbours(title, found, item, run, withPictures) {
  const box = made("div", "near");
  box.append(made("p", "quiet", title));
  const row = made("div", "near-row");
  found.forEach((one) => {
    const cell = made("figure", one.label === item.label ? "same" : "other");
    const where = one.distance === undefined ? `(${one.split}), closeness ${one.closeness.toFixed(2)}` : `distance ${one.distance.toFixed(3)}`;
    cell.title = `${one.example_id} ${where}`;
    if (withPictures) cell.append(picture(run, one.example_id, "small"));
    cell.append(made("figcaption", "", one.label));
    row.append(cell);
  });
  box.append(row);
  return box;
}
