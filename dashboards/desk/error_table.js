// The error table: each tag's share of the errors that were read, what fixing it gains, its effort.
function errorTable(told, { setEffort, chooseTag }) {
  const box = made("section", "panel table");
  const head = made("div", "panel-head");
  head.append(made("strong", "", "Error table"));
  head.append(made("span", "quiet", `${told.read} of ${told.sampled} sampled errors read`));
  box.append(head);
  if (told.rows.length) {
    const table = made("table");
    const titles = made("tr");
    ["Tag", "share", "95 %", "ceiling", "effort"].forEach((title, place) => {
      titles.append(made("th", place ? "number" : "", title));
    });
    const start = made("thead");
    start.append(titles);
    const body = made("tbody");
    told.rows.forEach((row) => body.append(tagRow(row, told, setEffort, chooseTag)));
    told.unions.forEach((row) => body.append(tagRow(row, told)));
    table.append(start, body);
    box.append(table);
  }
  box.append(made("p", "quiet", told.says));
  if (told.rows.length > 1) {
    const best = made("p", "quiet", "Best gain per effort: ");
    best.append(made("strong", "", told.rows[0].name), ".");
    box.append(best);
  }
  if (told.outside) {
    const text = `${told.outside} more tagged outside the random sample: chosen, so not counted.`;
    box.append(made("p", "quiet", text));
  }
  return box;
}

function tagRow(row, told, setEffort, chooseTag) {
  const line = made("tr", setEffort ? "" : "union");
  const name = made("td", "name");
  if (chooseTag) name.append(button("link", row.name, () => chooseTag(row.name), "show them"));
  else name.textContent = row.name;
  const ceiling = made("td", "number", `${percent(told.error, 1)} → ${percent(row.ceiling, 1)}`);
  ceiling.title = `error of ${told.split} if these were right; ${span(
    row.ceiling_low,
    row.ceiling_high,
    1,
  )} % with the share's interval`;
  line.append(name, made("td", "number", percent(row.share)));
  line.append(made("td", "number", span(row.low, row.high)), ceiling);
  const effort = made("td", "number");
  if (setEffort) {
    const field = made("input", "effort");
    field.type = "number";
    field.min = "0";
    field.step = "any";
    field.value = row.effort ?? "";
    field.ariaLabel = `effort of ${row.name}`;
    field.addEventListener("change", () => setEffort(row.name, field.value));
    effort.append(field);
  } else effort.textContent = row.effort ?? "";
  line.append(effort);
  return line;
}
