"use strict";
// Looking closer at a plot: buttons, keys, drag, pinch, Ctrl with the wheel. Without it every plot stands as it was drawn.
(() => {
  const LEFT = 46, RIGHT = 642, TOP = 10, BOTTOM = 124, HEIGHT = 150;
  const CLOSEST_S = 2;
  const STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const SVG = "http://www.w3.org/2000/svg";
  const said = JSON.parse(document.getElementById("said")?.textContent ?? "{}");

  const put = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const figure = (value, decimals) => value.toFixed(decimals).replace(".", said.decimal);
  const minute = (seconds, fine) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`
    + (fine ? said.decimal + Math.floor((seconds % 1) * 10) : "");
  const drawn = (name, attributes, parent) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return parent.appendChild(made);
  };

  function live(plot, number) {
    const data = JSON.parse(plot.querySelector("script").textContent);
    const stage = plot.querySelector(".stage"), svg = stage.querySelector("svg"), tools = plot.querySelector(".tools");
    const curve = svg.querySelector(".curve"), times = svg.querySelector(".time"), gaps = svg.querySelector(".gaps");
    const whole = [0, data.seconds];
    const first = { curve: curve.getAttribute("d"), times: [...times.childNodes], gaps: [...gaps.childNodes] };
    const hatch = svg.querySelector("pattern").id;
    let [from, to] = whole;

    const clip = drawn("clipPath", { id: `clip${number}` }, svg);
    drawn("rect", { x: LEFT, y: 0, width: RIGHT - LEFT, height: HEIGHT }, clip);
    for (const part of [curve, gaps]) part.setAttribute("clip-path", `url(#clip${number})`);

    const x = (second) => LEFT + (second - from) / (to - from) * (RIGHT - LEFT);
    const y = (value) => BOTTOM - (value - data.range[0]) / (data.range[1] - data.range[0]) * (BOTTOM - TOP);

    // The columns in view, with one more at each side, so that the curve reaches the edges.
    function inView() {
      const after = data.at.findIndex((at) => at >= from);
      let begin = Math.max(0, (after < 0 ? data.at.length : after) - 1), end = begin;
      while (end < data.at.length && data.at[end] <= to) end += 1;
      return [begin, Math.min(data.at.length, end + 1)];
    }

    function redraw() {
      const [begin, end] = inView();
      let path = "", pen = "M", low = Infinity, high = -Infinity;
      for (let i = begin; i < end; i += 1) {
        if (data.low[i] === null) { if (!data.held) pen = "M"; continue; }
        const bottom = data.low[i] * data.step, top = data.high[i] * data.step;
        path += `${pen}${x(data.at[i]).toFixed(1)} ${y(bottom).toFixed(1)}`;
        if (top > bottom) path += `L${x(data.at[i]).toFixed(1)} ${y(top).toFixed(1)}`;
        pen = "L";
        if (data.at[i] >= from && data.at[i] <= to) { low = Math.min(low, bottom); high = Math.max(high, top); }
      }
      const all = from === 0 && to === data.seconds;
      curve.setAttribute("d", all ? first.curve : path);
      times.replaceChildren(...(all ? first.times : []));
      gaps.replaceChildren(...(all ? first.gaps : []));
      if (!all) { marks(); hatched(); }
      tell(all, low, high);
    }

    function marks() {
      const step = STEPS_S.find((one) => (to - from) / one <= 6) ?? 14400;
      for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
        drawn("text", { x: x(at).toFixed(1), y: HEIGHT - 6, "text-anchor": "middle", fill: "var(--muted)" }, times)
          .textContent = minute(at, step < 1);
      }
    }

    function hatched() {
      for (const [begin, end] of data.gaps) {
        const left = Math.max(LEFT, x(begin)), right = Math.min(RIGHT, x(end));
        if (right > left) {
          drawn("rect", { x: left, y: TOP, width: Math.max(1, right - left), height: BOTTOM - TOP, fill: `url(#${hatch})` }, gaps);
        }
      }
    }

    function tell(all, low, high) {
      const fine = to - from < 10;
      const value = (one) => put(data.value, { value: figure(one, data.decimals) });
      const values = { from: minute(from, fine), to: minute(to, fine), low: value(low), high: value(high) };
      plot.querySelector(".said").textContent = all ? "" : put(low > high ? said.nothing : said.shown, values);
      for (const button of tools.children) {
        const wide = ["zoom_out", "all"].includes(button.dataset.do) && all;
        const early = button.dataset.do === "earlier" && from <= 0, late = button.dataset.do === "later" && to >= data.seconds;
        button.setAttribute("aria-disabled", String(wide || early || late || (button.dataset.do === "zoom_in" && to - from <= CLOSEST_S)));
      }
    }

    function show(begin, end) {
      const span = Math.min(data.seconds, Math.max(Math.min(CLOSEST_S, data.seconds), end - begin));
      from = Math.min(Math.max(0, begin), data.seconds - span);
      to = span >= data.seconds ? data.seconds : from + span;
      redraw();
    }

    const zoom = (times, at = (from + to) / 2) => show(at - (at - from) / times, at + (to - at) / times);
    const move = (share) => show(from + (to - from) * share, to + (to - from) * share);
    const doing = {
      zoom_in: () => zoom(2), zoom_out: () => zoom(0.5),
      earlier: () => move(-0.5), later: () => move(0.5), all: () => show(...whole),
    };
    const keys = {
      "+": "zoom_in", "=": "zoom_in", "-": "zoom_out", "\u2212": "zoom_out",
      ArrowLeft: "earlier", ArrowRight: "later", "0": "all", Home: "all",
    };

    const secondAt = (event) => {
      const box = svg.getBoundingClientRect();
      const place = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      return from + (place - LEFT) / (RIGHT - LEFT) * (to - from);
    };
    const fingers = new Map();
    let grip = null;

    stage.tabIndex = 0;
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", plot.querySelector("h3").textContent);
    stage.classList.add("live");
    tools.hidden = false;
    tools.addEventListener("click", (event) => doing[event.target.dataset.do]?.());
    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      doing[keys[event.key]]();
    });
    svg.addEventListener("dblclick", (event) => zoom(2, secondAt(event)));
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.25 : 0.8, secondAt(event));
    }, { passive: false });
    svg.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, event);
      svg.setPointerCapture(event.pointerId);
      grip = null;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event);
      const held = [...fingers.values()].map((one) => one.clientX).sort((one, other) => one - other);
      const box = svg.getBoundingClientRect(), perPixel = (to - from) / (box.width * (RIGHT - LEFT) / svg.viewBox.baseVal.width);
      const middle = (held[0] + held.at(-1)) / 2, apart = Math.max(24, held.at(-1) - held[0]);
      if (grip) {
        const moved = (grip.middle - middle) * perPixel;
        if (moved) show(from + moved, to + moved);
        if (held.length > 1 && apart !== grip.apart) zoom(apart / grip.apart, secondAt({ clientX: middle }));
      }
      grip = { middle, apart };
    });
    for (const end of ["pointerup", "pointercancel"]) {
      svg.addEventListener(end, (event) => { fingers.delete(event.pointerId); grip = null; });
    }
    tell(true, 0, 0);
  }

  document.querySelectorAll(".plot").forEach(live);
  document.querySelectorAll(".keys").forEach((note) => { note.hidden = false; });
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const pressed = {
    theme: () => { root.dataset.theme = (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark"; },
    print: () => window.print(),
  };
  for (const button of document.querySelectorAll("header button")) {
    button.hidden = false;
    button.addEventListener("click", pressed[button.dataset.do]);
  }
})();
