// What was pressed and is not saved yet. Every event is written to the browser's own storage before
// it is sent, and leaves it when the server has acknowledged it: a closed tab, a cut connection or a
// restarted server loses nothing, and an event that is sent twice is one event, by its key.
const OUTBOX = "gapwise.outbox.";
const MOST_AT_ONCE = 200;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5000;

function newKey() {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

function makeOutbox({ changed, refused, saved }) {
  const own = OUTBOX + newKey();
  let waiting = [];
  let sending = false;
  let pause = 0;
  let trouble = "";
  let timer = 0;

  const keep = () => {
    try {
      if (waiting.length) localStorage.setItem(own, JSON.stringify(waiting));
      else localStorage.removeItem(own);
    } catch {
      // Storage that is full or forbidden: events still go out from memory.
    }
  };

  // What another tab, or this one before it was closed, has left behind.
  const adopt = () => {
    for (const name of Object.keys(localStorage).filter((key) => key.startsWith(OUTBOX))) {
      try {
        waiting = waiting.concat(JSON.parse(localStorage.getItem(name)) || []);
      } catch {
        // Damaged: nothing can be read from it.
      }
      keep();
      localStorage.removeItem(name);
    }
    keep();
  };

  const done = (keys) => {
    const gone = new Set(keys);
    waiting = waiting.filter((one) => !gone.has(one.event.key));
    keep();
  };

  const send = async () => {
    if (sending || !waiting.length) return;
    sending = true;
    const { run, split } = waiting[0];
    const batch = waiting
      .filter((one) => one.run === run && one.split === split)
      .slice(0, MOST_AT_ONCE);
    const body = JSON.stringify({ run, split, events: batch.map((one) => one.event) });
    try {
      const answer = await fetch("/desk/events", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        keepalive: body.length < 60000,
      });
      if (answer.status >= 500) throw new Error("the server hit an error");
      if (answer.status === 401) throw new Error("signed out: reload the page to sign in");
      const told = await answer.json();
      if (answer.ok) {
        done([...told.saved, ...told.refused.map((one) => one.key)]);
        saved(told);
        told.refused.forEach((one) => {
          const event = batch.find((sent) => sent.event.key === one.key)?.event;
          refused(one, event);
        });
      } else {
        done(batch.map((one) => one.event.key));
        refused({ why: told.why }, null);
      }
      pause = 0;
      trouble = "";
    } catch (error) {
      pause = Math.min(LONGEST_PAUSE, pause ? 2 * pause : FIRST_PAUSE);
      trouble = error instanceof TypeError ? "the server does not answer" : error.message;
    }
    sending = false;
    changed();
    clearTimeout(timer);
    if (waiting.length) timer = setTimeout(send, pause);
  };

  adopt();
  return {
    put(run, split, event) {
      const whole = { key: newKey(), ...event };
      waiting.push({ run, split, event: whole });
      keep();
      changed();
      send();
      return whole.key;
    },
    send,
    get state() {
      return { waiting: waiting.length, trouble };
    },
  };
}
