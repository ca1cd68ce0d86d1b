// The list of channels: each says how it is, and is chosen by a click; none chosen means all together.

import { short } from "./numbers.js";

export class Channels {
  constructor(place, onChoice) {
    this.place = place;
    this.onChoice = onChoice;
    this.chosen = new Set();
    this.buttons = new Map();
  }

  show(rows, selected) {
    if (selected === null && this.chosen.size && !rows.length) this.chosen.clear();
    const boards = new Set(rows.map((row) => row[0])).size;
    const names = ["all", ...rows.map(([board, channel]) => `${board}/${channel}`)];
    if (names.join() !== [...this.buttons.keys()].join()) this.build(names);
    this.paint("all", "all", rows.reduce((sum, row) => sum + row[2] + row[3], 0), "well");
    for (const [board, channel, neutron, other, state] of rows) {
      this.paint(`${board}/${channel}`, boards > 1 ? `${board}/${channel}` : `ch ${channel}`, neutron + other, state);
    }
  }

  build(names) {
    this.buttons.clear();
    for (const name of names) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(document.createElement("b"), document.createElement("span"));
      button.addEventListener("click", () => this.choose(name));
      this.buttons.set(name, button);
    }
    this.place.replaceChildren(...this.buttons.values());
  }

  paint(name, text, rate, state) {
    const button = this.buttons.get(name);
    button.firstChild.textContent = text;
    button.lastChild.textContent = `${short(rate)}/s`;
    button.className = `${state}${rate > 0 ? "" : " quiet"}`;
    button.title = { drift: "not what it was", learning: "still learnt", well: "" }[state];
    button.setAttribute("aria-pressed", String(name === "all" ? !this.chosen.size : this.chosen.has(name)));
  }

  choose(name) {
    if (name === "all") this.chosen.clear();
    else if (!this.chosen.delete(name)) this.chosen.add(name);
    for (const [each, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(each === "all" ? !this.chosen.size : this.chosen.has(each)));
    }
    this.onChoice(this.chosen.size ? [...this.chosen].map((each) => each.split("/").map(Number)) : null);
  }
}
