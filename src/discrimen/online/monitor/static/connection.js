// The line to the server: opened again after it broke, quiet while nobody looks.

import { unpackView } from "./message.js";

const AGAIN_MS = 2000;

export class Connection {
  constructor(onView, onBroken) {
    this.onView = onView;
    this.onBroken = onBroken;
    this.wish = { channels: null, paused: false };
    document.addEventListener("visibilitychange", () => this.tell());
    this.open();
  }

  open() {
    const url = new URL("view", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = "";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.tell();
    this.socket.onmessage = async (event) => {
      const view = await unpackView(event.data);
      if (!this.wish.paused) this.onView(view);
    };
    this.socket.onclose = () => {
      this.onBroken();
      setTimeout(() => this.open(), AGAIN_MS);
    };
  }

  tell(more = {}) {
    Object.assign(this.wish, more);
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ channels: this.wish.channels, paused: this.wish.paused || document.hidden }));
  }

  reset() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ reset: true }));
  }
}
