// The live page: each message of the WebSocket is the whole state. Text comes from servers, so it is set as text, never as HTML.
"use strict";
(function () {
  const at = (id) => document.getElementById(id);
  let state = null, again = null, shown = "";

  function fill(id, rows, marks) {
    const body = at(id);
    body.replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      row.forEach((value, i) => {
        const cell = document.createElement("td");
        cell.textContent = value;
        if (typeof value === "number") cell.className = value === 0 ? "n zero" : "n " + (marks && marks[i] || "");
        line.append(cell);
      });
      return line;
    }));
  }

  function show() {
    at("title").textContent = state.title;
    const word = state.over ? "over" : state.preparing ? "preparing" : "running";
    at("state").textContent = word;
    at("state").className = "badge " + (state.limited ? "inconclusive" : state.ledger.unexplained ? "fail" : "pass");
    at("warnings").hidden = !state.limited;
    at("warnings").textContent = state.limited ? "GENERATOR-LIMITED so far: " + state.generator : "";
    at("facts").textContent = state.preparing
      ? "preparing: the mailboxes of " + state.prepared + " of " + state.slots +
        (state.of_accounts ? " accounts" : " copies") + " were looked at"
      : state.of_accounts
      ? state.passed.toFixed(0) + " s: customers " + state.running + ", connections " + state.connections +
        ", mail due " + state.due + ", waiting to be sent " + state.waiting
      : state.passed.toFixed(0) + " s: due " + state.due + ", begun " + state.begun + ", under way " + state.running +
        ", waiting " + state.waiting + ", over " + state.ended + ", connections " + state.connections;
    fill("rows", state.rows.map((row) => row.map((v, i) => v === "-" && i > 0 ? "\u2013" : v)), [null, null, null, null, null, "bad", "odd"]);
    fill("errors", state.errors.length ? state.errors : [["none"]]);
    const l = state.ledger;
    fill("ledger", [[state.of_accounts ? "customers that came" : "copies played to their end", l.copies], ["deliveries attempted", l.sent], ["accepted", l.accepted],
      ["refused", l.refused], ["without an answer", l.unknown]].concat(l.fates.map((f) => ["accepted, now " + f[0], f[1]]),
      [["unexplained", l.unexplained]]));
    const names = state.chart.operations.map((op) => op.name).join(" ");
    if (!names) return;
    if (names !== shown) {
      const choice = at("operation"), chosen = choice.value;
      choice.replaceChildren(...state.chart.operations.map((op) => new Option(op.name, op.name)));
      if (chosen) choice.value = chosen;
      shown = names;
    }
    if (!again) {
      at("charts").hidden = false;
      again = () => mailproof.draw(state.chart, at("operation").value);
      at("operation").addEventListener("change", again);
      addEventListener("resize", again);
    }
    again();
  }

  function connect() {
    const socket = new WebSocket("ws://" + location.host + "/live" + location.search);
    socket.onmessage = (message) => { state = JSON.parse(message.data); if (state.title) show(); };
    socket.onclose = () => { if (!state || !state.over) { at("state").textContent = "not connected"; setTimeout(connect, 1000); } };
  }
  connect();
})();
