// The two ends of SMTP, as far as a test needs them.

import net from "node:net";

/** A server that takes every mail. `next()` is the next one, with its envelope. */
export async function startSink() {
  const mails = [];
  const waiting = [];
  const take = (mail) => (waiting.length > 0 ? waiting.shift()(mail) : mails.push(mail));
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    let [input, envelope, inData] = ["", { to: [] }, false];
    const say = (line) => socket.write(`${line}\r\n`);
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (data) => {
      input += data;
      for (;;) {
        const end = input.indexOf(inData ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const text = input.slice(0, end);
        input = input.slice(end + (inData ? 5 : 2));
        if (inData) {
          // A dot at the start of a line was doubled for the way.
          const mail = `${text}\r\n`.replace(/^\.\./gm, ".");
          take({ ...envelope, mail: Buffer.from(mail, "latin1") });
          [envelope, inData] = [{ to: [] }, false];
          say("250 taken");
          continue;
        }
        const [, verb, address] = /^(\S+)(?:[^<]*<([^>]*)>)?/.exec(text) ?? [];
        if (/^mail$/i.test(verb)) envelope.from = address;
        if (/^rcpt$/i.test(verb)) envelope.to.push(address);
        if (/^data$/i.test(verb)) inData = true;
        if (inData) say("354 go on");
        else if (/^ehlo$/i.test(verb)) say("250-sink\r\n250 8BITMIME");
        else say(/^quit$/i.test(verb) ? "221 bye" : "250 ok");
      }
    });
    say("220 sink");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: server.address().port,
    next: () =>
      mails.length > 0 ? Promise.resolve(mails.shift()) : new Promise((done) => waiting.push(done)),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  };
}

/** Sends a mail. */
export async function send(port, from, to, mail) {
  const socket = net.connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  const lines = socket[Symbol.asyncIterator]();
  const hear = async () => {
    let text = "";
    while (!/^\d{3} .*\r\n$/m.test(text)) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`The server hung up: ${text}`);
      text += value;
    }
    if (!/^[23]/.test(text)) throw new Error(text);
  };
  await hear();
  const data = mail.replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
  for (const line of [
    "EHLO test.example",
    `MAIL FROM:<${from}>`,
    `RCPT TO:<${to}>`,
    "DATA",
    `${data}\r\n.`,
    "QUIT",
  ]) {
    socket.write(`${line}\r\n`);
    await hear();
  }
  socket.destroy();
}
