(function () {
  "use strict";
  var root = document.documentElement;
  var button = document.getElementById("theme");
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  function show() {
    root.setAttribute("data-theme", dark ? "dark" : "light");
    button.textContent = dark ? "Light theme" : "Dark theme";
  }
  button.hidden = false;
  button.addEventListener("click", function () { dark = !dark; show(); });
  show();

  function key(row, column) {
    var cell = row.cells[column];
    var number = cell.getAttribute("data-sort");
    return number === null ? cell.textContent : parseFloat(number);
  }
  function order(a, b) {
    var numbers = [typeof a === "number", typeof b === "number"];
    if (numbers[0] && numbers[1]) { return a - b; }
    if (numbers[0] !== numbers[1]) { return numbers[0] ? -1 : 1; }
    return a < b ? -1 : a > b ? 1 : 0;
  }
  document.querySelectorAll("table[data-sortable]").forEach(function (table) {
    var heads = table.tHead.rows[0].cells;
    Array.prototype.forEach.call(heads, function (head, column) {
      var sorter = document.createElement("button");
      sorter.type = "button";
      while (head.firstChild) { sorter.appendChild(head.firstChild); }
      head.appendChild(sorter);
      sorter.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        Array.prototype.forEach.call(heads, function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var body = table.tBodies[0];
        var rows = Array.prototype.slice.call(body.rows);
        rows.sort(function (a, b) {
          // Controls stay below the arms, whatever the order.
          var controls = a.classList.contains("control") - b.classList.contains("control");
          return controls || (down ? -1 : 1) * order(key(a, column), key(b, column));
        });
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
  });

  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (details) { details.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
  });
})();
