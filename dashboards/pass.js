// Keeps the pass of this browser: the server sets it as a cookie that scripts cannot read.
const AGAIN = "gapwise.pass";
const PAUSE = 5000;

export default function ({ data }) {
  // A browser that refuses cookies would come again for ever.
  if (Date.now() - Number(sessionStorage.getItem(AGAIN) || 0) < PAUSE) return;
  sessionStorage.setItem(AGAIN, String(Date.now()));
  fetch("/pass", { method: "POST", body: data.pass }).then((answer) => {
    if (answer.ok) location.reload();
  });
}
