// Many requests over few connections: HTTP/1.1 on bare sockets, for what node's own client is too slow for, or too
// careful (it sends no byte above 0x7F in a path).

import net from "node:net";

// An answer that takes longer never comes.
const TIMEOUT_MS = 60_000;

/** One connection: requests go one after another, each by its bytes. */
export class Connection {
  #socket;
  #received = "";
  #waiting = null;

  constructor(port) {
    this.#socket = net.connect(port, "127.0.0.1").setNoDelay().setEncoding("latin1");
    this.#socket.on("data", (text) => this.#take(text));
    this.#socket.on("error", (error) => this.#fail(error));
    // The socket is silent, whether somebody waits for it or not.
    this.#socket.setTimeout(TIMEOUT_MS, () => {
      if (this.#waiting) this.#fail(new Error(`no answer in ${TIMEOUT_MS} ms`));
    });
    this.#socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  /** Sends a request as `get` has made it; resolves with the answer's head: its status line and headers. */
  send(request) {
    return new Promise((resolve, reject) => {
      // Nothing more comes of it: it would wait for ever.
      if (this.#socket.destroyed) return reject(new Error("the connection is closed"));
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close() {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #take(text) {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n") + 4;
    if (end < 4) return;
    const head = this.#received.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (!length) return this.#fail(new Error(`an answer without Content-Length:\n${head}`));
    if (this.#received.length < end + Number(length[1])) return;
    this.#received = "";
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(head);
  }

  #fail(error) {
    this.#waiting?.reject(error);
    this.close();
  }
}

/** The bytes of a GET request; the path goes out as it is, in UTF-8. */
export function get(path, headers = {}) {
  const lines = Object.entries({ Host: "click.example", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

/** The status of an answer's head. */
export function status(head) {
  return Number(head.slice(9, 12));
}
